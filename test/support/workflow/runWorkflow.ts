import { randomBytes, randomUUID } from 'node:crypto';
import type { Dispatcher } from 'undici';
import { evaluate } from './evaluateExpression.ts';
import type { ApiConnectionInputs, WorkflowAction, WorkflowDefinition } from './readDefinition.ts';
import { type ActionOutcome, type EngineHabits, sendAction } from './sendAction.ts';
import { workflowFunctions } from './workflowFunctions.ts';

/** What the run history shows of an action; what secureData covers is left out. */
export type ShownAction = ActionOutcome & { readonly inputs?: unknown };

export interface WorkflowRun {
  readonly runId: string;
  readonly status: 'Succeeded' | 'Failed';
  readonly history: Readonly<Record<string, ShownAction>>;
}

export interface WorkflowOptions {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly triggerBody: unknown;
  /** The token of the workflow's identity for an audience. */
  readonly token: (audience: string) => Promise<string>;
  /** By the connections' names. */
  readonly connectionUrls: Readonly<Record<string, string>>;
  /** Trusts the emulated services, and finds them. */
  readonly dispatcher: Dispatcher;
  readonly habits?: EngineHabits;
}

/** Runs the actions of a definition, each after those that it waits for, with the requests that the engine sends for them. */
export async function runWorkflow(definition: WorkflowDefinition, options: WorkflowOptions): Promise<WorkflowRun> {
  const runId = `0858${randomBytes(16).toString('hex').toUpperCase()}CU12`;
  const { token, dispatcher, habits = {} } = options;
  const outcomes = new Map<string, ActionOutcome>();
  const functions = workflowFunctions(options, outcomes);
  const history: Record<string, ShownAction> = {};
  for (const [actionName, action] of inOrder(definition.actions)) {
    const isDue = Object.entries(action.runAfter).every(([before, statuses]) =>
      statuses.includes(outcomes.get(before)?.status ?? 'Skipped'),
    );
    const inputs = isDue ? evaluate(action.inputs, functions) : undefined;
    const ids = { runId, actionName, trackingId: randomUUID() };
    const connectionUrl = (connection: Connection) => urlOf(connection, options.connectionUrls);
    const outcome: ActionOutcome = isDue
      ? await sendAction(action, inputs, { ids, habits, token, connectionUrl, dispatcher })
      : { status: 'Skipped' };
    outcomes.set(actionName, outcome);
    history[actionName] = shown(action, inputs, outcome);
  }
  const hasFailed = [...outcomes.values()].some(({ status }) => status === 'Failed');
  return { runId, status: hasFailed ? 'Failed' : 'Succeeded', history };
}

/** Every action after those that it waits for. */
function inOrder(actions: WorkflowDefinition['actions']): [string, WorkflowAction][] {
  const ordered: [string, WorkflowAction][] = [];
  const names = new Set<string>();
  while (names.size < Object.keys(actions).length) {
    const next = Object.entries(actions).find(
      ([name, { runAfter }]) => !names.has(name) && Object.keys(runAfter).every((before) => names.has(before)),
    );
    if (next === undefined) throw new Error('The actions wait for one another, or for one that is not there.');
    names.add(next[0]);
    ordered.push(next);
  }
  return ordered;
}

type Connection = ApiConnectionInputs['host']['connection'];

/** In Consumption the connection's id, evaluated; in Standard a name of connections.json. */
function urlOf({ name, referenceName }: Connection, urls: WorkflowOptions['connectionUrls']): string {
  const url = name ?? urls[referenceName ?? ''];
  if (url === undefined) throw new Error(`There is no connection '${referenceName}'.`);
  return url;
}

function shown({ runtimeConfiguration }: WorkflowAction, inputs: unknown, outcome: ActionOutcome): ShownAction {
  const secured = runtimeConfiguration?.secureData?.properties ?? [];
  const { outputs, ...rest } = outcome;
  return {
    ...rest,
    ...(!secured.includes('inputs') && { inputs }),
    ...(!secured.includes('outputs') && outputs !== undefined && { outputs }),
  };
}

import { randomBytes, randomUUID } from 'node:crypto';
import { type Dispatcher, request } from 'undici';
import { evaluate, toText, type WorkflowFunctions } from './evaluateExpression.ts';
import type { HttpInputs, WorkflowAction, WorkflowDefinition } from './readDefinition.ts';

export interface WorkflowRun {
  readonly runId: string;
  readonly status: 'Succeeded' | 'Failed';
  /** Of the Terminate action, where one ran. */
  readonly error: { readonly code: string; readonly message: string } | undefined;
  /** What the run history shows of an action; what secureData covers is left out. */
  readonly history: Readonly<
    Record<string, { readonly inputs?: unknown; readonly outputs?: unknown; readonly status: string }>
  >;
}

export interface WorkflowOptions {
  readonly parameters: Readonly<Record<string, string>>;
  readonly triggerBody: unknown;
  /** The token of the workflow's identity for an audience. */
  readonly token: (audience: string) => Promise<string>;
  /** Trusts the emulated Graph. */
  readonly dispatcher: Dispatcher;
}

interface Outcome {
  readonly status: 'Succeeded' | 'Failed' | 'Skipped';
  readonly inputs?: unknown;
  readonly outputs?: { readonly statusCode?: number; readonly body?: unknown };
}

/** Removed without notice from what the author sets: learn.microsoft.com/azure/connectors/connectors-native-http, "Known issues". */
const REMOVED_HEADERS =
  /^(accept-(?!version)|allow$|content-(?!disposition$|encoding$|type$)|cookie$|expires$|host$|last-modified$|origin$|set-cookie$|transfer-encoding$)/i;

/** Runs the actions in order, each HTTP request sent once, with the headers that the engine adds. */
export async function runWorkflow(definition: WorkflowDefinition, options: WorkflowOptions): Promise<WorkflowRun> {
  const runId = `0858${randomBytes(16).toString('hex').toUpperCase()}CU12`;
  const outcomes = new Map<string, Outcome>();
  let error: WorkflowRun['error'];
  for (const [name, action] of inOrder(definition.actions)) {
    const functions = functionsOf(options, outcomes);
    const isDue = Object.entries(action.runAfter).every(([before, statuses]) =>
      statuses.includes(outcomes.get(before)?.status ?? 'Skipped'),
    );
    if (!isDue) {
      outcomes.set(name, { status: 'Skipped' });
      continue;
    }
    const inputs = evaluate(action.inputs, functions);
    if (action.type === 'Http') outcomes.set(name, await send(name, inputs as HttpInputs, runId, options));
    else outcomes.set(name, { status: 'Succeeded', inputs, outputs: inputs as Outcome['outputs'] & object });
    if (action.type === 'Terminate') error = (inputs as { readonly runError: WorkflowRun['error'] }).runError;
  }
  const failed = error !== undefined || [...outcomes.values()].some(({ status }) => status === 'Failed');
  return { runId, status: failed ? 'Failed' : 'Succeeded', error, history: historyOf(definition, outcomes) };
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

function functionsOf(
  { parameters, triggerBody }: WorkflowOptions,
  outcomes: ReadonlyMap<string, Outcome>,
): WorkflowFunctions {
  return {
    triggerBody: () => triggerBody,
    parameters: (name) => parameters[String(name)] ?? fail(`The parameter '${String(name)}' has no value.`),
    body: (name) => outcomes.get(String(name))?.outputs?.body,
    outputs: (name) => outcomes.get(String(name))?.outputs,
    encodeURIComponent: (text) => encodeURIComponent(String(text)),
    int: (value) => (/^-?\d+$/.test(String(value)) ? Number(value) : fail(`int() of '${String(value)}'`)),
    string: (value) => toText(value),
    concat: (...parts) => parts.map(toText).join(''),
    coalesce: (...values) => values.find((value) => value !== undefined && value !== null),
  };
}

async function send(name: string, inputs: HttpInputs, runId: string, options: WorkflowOptions): Promise<Outcome> {
  const { method, uri, headers = {}, body, authentication } = inputs;
  const authorSet = Object.entries(headers).filter(([header]) => !REMOVED_HEADERS.test(header));
  const content = body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const response = await request(uri, {
    method: method as Dispatcher.HttpMethod,
    headers: {
      ...Object.fromEntries(authorSet.map(([header, value]) => [header, String(value)])),
      ...engineHeaders(name, runId),
      ...(authentication && { authorization: `Bearer ${await options.token(authentication.audience)}` }),
    },
    body: content ?? null,
    dispatcher: options.dispatcher,
  });
  const bytes = Buffer.from(await response.body.arrayBuffer());
  const isJson = String(response.headers['content-type']).includes('json');
  const outputs = { statusCode: response.statusCode, body: isJson ? JSON.parse(bytes.toString()) : bytes };
  return { status: response.statusCode < 400 ? 'Succeeded' : 'Failed', inputs, outputs };
}

/** As captured from the HTTP action; all but User-Agent can be suppressed (operationOptions: SuppressWorkflowHeaders). */
function engineHeaders(actionName: string, runId: string): Record<string, string> {
  const id = randomUUID();
  return {
    'accept-language': 'en-US',
    'user-agent': 'azure-logic-apps/1.0 (workflow 7f6e5d4c3b2a; version 08584611111111111111)',
    'x-ms-activity-vector': 'IN.01',
    'x-ms-action-tracking-id': id,
    'x-ms-client-request-id': id,
    'x-ms-client-tracking-id': runId,
    'x-ms-correlation-id': id,
    'x-ms-execution-location': 'westeurope',
    'x-ms-tracking-id': id,
    'x-ms-workflow-id': '7f6e5d4c3b2a',
    'x-ms-workflow-name': 'attach-report',
    'x-ms-workflow-operation-name': actionName,
    'x-ms-workflow-resourcegroup-name': 'reports',
    'x-ms-workflow-run-id': runId,
    'x-ms-workflow-run-tracking-id': id,
    'x-ms-workflow-subscription-id': id,
    'x-ms-workflow-system-id': '/locations/westeurope/scaleunits/prod-00/workflows/7f6e5d4c3b2a',
    'x-ms-workflow-version': '08584611111111111111',
  };
}

function historyOf({ actions }: WorkflowDefinition, outcomes: ReadonlyMap<string, Outcome>): WorkflowRun['history'] {
  return Object.fromEntries(
    [...outcomes].map(([name, { status, inputs, outputs }]) => {
      const secured = actions[name]?.runtimeConfiguration?.secureData?.properties ?? [];
      const shown = {
        ...(!secured.includes('inputs') && { inputs }),
        ...(!secured.includes('outputs') && { outputs }),
      };
      return [name, { status, ...shown }];
    }),
  );
}

function fail(message: string): never {
  throw new Error(message);
}

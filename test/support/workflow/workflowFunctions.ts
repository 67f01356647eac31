import { toText, type WorkflowFunctions } from './evaluateExpression.ts';
import type { ActionOutcome } from './sendAction.ts';

interface RunData {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly triggerBody: unknown;
}

/** The functions that the definitions use (learn.microsoft.com/azure/logic-apps/expression-functions-reference). */
export function workflowFunctions(
  { parameters, triggerBody }: RunData,
  outcomes: ReadonlyMap<string, ActionOutcome>,
): WorkflowFunctions {
  return {
    triggerBody: () => triggerBody,
    parameters: (name) => parameters[String(name)] ?? fail(`The parameter '${String(name)}' has no value.`),
    body: (name) => outcomes.get(String(name))?.outputs?.body,
    outputs: (name) => outcomes.get(String(name))?.outputs,
    encodeURIComponent: (text) => encodeURIComponent(toText(text)),
    coalesce: (...values) => values.find((value) => value !== undefined && value !== null),
    utcNow: () => new Date().toISOString(),
    addHours: (time, hours) => new Date(Date.parse(String(time)) + Number(hours) * 3_600_000).toISOString(),
  };
}

function fail(message: string): never {
  throw new Error(message);
}

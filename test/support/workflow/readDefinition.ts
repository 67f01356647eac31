import { readFileSync } from 'node:fs';
import path from 'node:path';
import { REPOSITORY_ROOT } from '../site.ts';

export interface RetryPolicy {
  readonly type: string;
  readonly count?: number;
}

export interface HttpInputs {
  readonly method: string;
  readonly uri: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly authentication?: { readonly type: string; readonly audience: string };
  readonly retryPolicy?: RetryPolicy;
}

export interface ApiConnectionInputs {
  readonly host: {
    readonly connection: { readonly name?: string; readonly referenceName?: string };
  };
  readonly method: string;
  readonly path: string;
  readonly queries?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly retryPolicy?: RetryPolicy;
}

export interface WorkflowAction {
  readonly type: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly runAfter: Readonly<Record<string, readonly string[]>>;
  readonly runtimeConfiguration?: {
    readonly secureData?: { readonly properties: readonly string[] };
    readonly contentTransfer?: { readonly transferMode: string };
  };
}

export interface WorkflowDefinition {
  readonly parameters?: Readonly<Record<string, { readonly type: string; readonly defaultValue?: unknown }>>;
  readonly actions: Readonly<Record<string, WorkflowAction>>;
}

const FOLDER = path.join(REPOSITORY_ROOT, 'examples', 'logic-apps');

/** The workflows of examples/logic-apps, each in both plans. */
export const WORKFLOWS = [
  'attach-with-managed-identity',
  'attach-with-function-key',
  'send-with-outlook',
  'attach-from-address',
] as const;
export const PLANS = ['Consumption', 'Standard'] as const;

export type WorkflowName = (typeof WORKFLOWS)[number];
export type Plan = (typeof PLANS)[number];

/** A JSON file under examples/logic-apps. */
export function readExample(file: string): unknown {
  return JSON.parse(readFileSync(path.join(FOLDER, file), 'utf8'));
}

/** The definition itself; in Standard it is a member of workflow.json. The schema checks its shape before anything else uses it. */
export function readDefinition(plan: Plan, name: WorkflowName): WorkflowDefinition {
  const file = plan === 'Consumption' ? `consumption/${name}.json` : `standard/${name}/workflow.json`;
  const document = readExample(file) as WorkflowDefinition | { readonly definition: WorkflowDefinition };
  return 'definition' in document ? document.definition : document;
}

/** The definition with a fault that a maker could make: `from` must be in its text. */
export function withFault(definition: WorkflowDefinition, from: string, to: string): WorkflowDefinition {
  const text = JSON.stringify(definition);
  if (!text.includes(from)) throw new Error(`The definition does not hold ${from}.`);
  return JSON.parse(text.replace(from, to));
}

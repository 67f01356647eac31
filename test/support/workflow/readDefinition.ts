import { readFileSync } from 'node:fs';
import path from 'node:path';
import { REPOSITORY_ROOT } from '../site.ts';

export interface HttpInputs {
  readonly method: string;
  readonly uri: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly authentication?: { readonly type: string; readonly audience: string };
  readonly retryPolicy?: { readonly type: string };
}

export interface WorkflowAction {
  readonly type: string;
  readonly inputs: unknown;
  readonly runAfter: Readonly<Record<string, readonly string[]>>;
  readonly runtimeConfiguration?: { readonly secureData?: { readonly properties: readonly string[] } };
}

export interface WorkflowDefinition {
  readonly parameters?: Readonly<Record<string, { readonly type: string; readonly defaultValue?: unknown }>>;
  readonly actions: Readonly<Record<string, WorkflowAction>>;
}

const FOLDER = path.join(REPOSITORY_ROOT, 'examples', 'logic-apps');

/** The definitions of examples/logic-apps by a name for tests. The schema checks their shape before anything else uses them. */
export const DEFINITION_FILES = {
  'Consumption, managed identity': 'consumption/managed-identity.json',
  'Consumption, function key': 'consumption/function-key.json',
  'Standard, managed identity': 'standard/attach-with-managed-identity/workflow.json',
  'Standard, function key': 'standard/attach-with-function-key/workflow.json',
} as const;

export type DefinitionName = keyof typeof DEFINITION_FILES;

/** A JSON file under examples/logic-apps. */
export function readExample(file: string): unknown {
  return JSON.parse(readFileSync(path.join(FOLDER, file), 'utf8'));
}

/** The definition itself; in Standard it is a member of workflow.json. */
export function readDefinition(name: DefinitionName): WorkflowDefinition {
  const document = readExample(DEFINITION_FILES[name]) as
    | WorkflowDefinition
    | { readonly definition: WorkflowDefinition }; // Checked against the schema by a test.
  return 'definition' in document ? document.definition : document;
}

import type { FunctionMetadata } from '../messages.ts';

export interface QueueFunction {
  readonly id: string;
  readonly name: string;
  readonly triggerName: string;
  readonly queueName: string;
  /** The name of the account's setting. */
  readonly connection: string;
}

export function isQueueFunction({ bindings }: FunctionMetadata): boolean {
  return Object.values(bindings).some(({ type }) => isQueueTrigger(type));
}

/** The functions with a queue trigger. `%NAME%` in a queue's name is replaced by a setting. */
export function listQueueFunctions(
  functions: readonly FunctionMetadata[],
  settings: NodeJS.ProcessEnv,
): readonly QueueFunction[] {
  return functions.flatMap(({ name, functionId, bindings }) =>
    Object.entries(bindings)
      .filter(([, { type }]) => isQueueTrigger(type))
      .map(([triggerName, { queueName = '', connection = '' }]) => ({
        id: functionId ?? name,
        name,
        triggerName,
        queueName: queueName.replace(/%([^%]+)%/g, (_, setting: string) => settings[setting] ?? '').toLowerCase(),
        connection: connection === '' ? 'Storage' : connection,
      })),
  );
}

function isQueueTrigger(type: string): boolean {
  return type.toLowerCase() === 'queuetrigger';
}

export type QueueConnection =
  | { readonly kind: 'connectionString'; readonly value: string }
  | { readonly kind: 'identity' }
  | { readonly kind: 'missing' };

const IDENTITY_MEMBERS = ['queueServiceUri', 'serviceUri', 'accountName'];

/** Follows the `connection` of a trigger: a setting of that name, with or without the prefix `AzureWebJobs`. */
export function findQueueConnection(name: string, settings: NodeJS.ProcessEnv): QueueConnection {
  for (const candidate of [`AzureWebJobs${name}`, name]) {
    const value = settings[candidate];
    if (value !== undefined && value !== '') return { kind: 'connectionString', value };
    if (IDENTITY_MEMBERS.some((member) => settings[`${candidate}__${member}`] !== undefined)) {
      return { kind: 'identity' };
    }
  }
  return { kind: 'missing' };
}

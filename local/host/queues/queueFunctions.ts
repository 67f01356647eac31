import type { FunctionMetadata } from '../messages.ts';

export interface QueueFunction {
  readonly id: string;
  readonly name: string;
  readonly triggerName: string;
  readonly queueName: string;
  /** The name of the setting that leads to the account. */
  readonly connection: string;
}

export function isQueueFunction({ bindings }: FunctionMetadata): boolean {
  return Object.values(bindings).some(({ type }) => isQueueTrigger(type));
}

/** The functions with a queue trigger. `%NAME%` in a queue's name stands for a setting. */
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

import { within } from '../../within.ts';
import type { QueueOptions } from '../hostJson.ts';
import type { InvocationContext } from '../runInvocation.ts';
import { findQueueConnection, type QueueFunction } from './queueFunctions.ts';
import { listenToQueue, type QueueListener } from './queueListener.ts';

/** .NET's (Azure.Core: RetryOptions). */
const RETRIES = { maxTries: 4, retryDelayInMs: 800 };

const REASONS: Readonly<Record<string, string>> = {
  noExtension: 'the binding type queueTrigger is not registered. host.json names no extensionBundle.',
  missing: 'there is no setting for its connection.',
  identity: 'its connection requires an identity, and this host supports connection strings only.',
};

/**
 * Listens to the queue of each function that has an account.
 *
 * @param options undefined if host.json names no extension with the trigger
 */
export async function startQueues(
  functions: readonly QueueFunction[],
  settings: NodeJS.ProcessEnv,
  options: QueueOptions | undefined,
  context: InvocationContext,
) {
  const closed = new AbortController();
  const listeners: QueueListener[] = [];
  const running: QueueFunction[] = [];
  for (const called of functions) {
    const connection = findQueueConnection(called.connection, settings);
    if (options === undefined || connection.kind !== 'connectionString') {
      const reason = options === undefined ? 'noExtension' : connection.kind;
      context.log({ level: 'warning', category: 'host', message: `${called.name} does not run: ${REASONS[reason]}` });
      continue;
    }
    const { QueueServiceClient } = await import('@azure/storage-queue');
    const service = QueueServiceClient.fromConnectionString(connection.value, { retryOptions: RETRIES });
    const poisonName = `${called.queueName}-poison`;
    const hasPoison = !called.queueName.endsWith('-poison') && poisonName.length <= 63;
    const work = {
      called,
      queue: service.getQueueClient(called.queueName),
      poison: hasPoison ? service.getQueueClient(poisonName) : undefined,
      options,
      context,
      closed: closed.signal,
    };
    running.push(called);
    listeners.push(
      listenToQueue(work, () => {
        for (const { wake } of listeners.filter(({ queueName }) => queueName === poisonName)) wake();
      }),
    );
  }
  return {
    /** Those that run: the others have no reachable account. */
    functions: running,
    /** Stops polling, and gives the calls some time to end. The messages of the others stay invisible. */
    async stop(graceMs: number): Promise<void> {
      await within(Promise.all(listeners.map((listener) => listener.stop())), graceMs);
      closed.abort();
    },
  };
}

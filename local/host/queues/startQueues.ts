import { setTimeout as delay } from 'node:timers/promises';
import type { InvocationContext } from '../runInvocation.ts';
import { findQueueConnection } from './queueConnection.ts';
import type { QueueFunction } from './queueFunctions.ts';
import { listenToQueue, type QueueListener } from './queueListener.ts';
import type { QueueOptions } from './queueOptions.ts';

export interface Queues {
  /** Those that run: the others lack an account that this host can reach. */
  readonly functions: readonly QueueFunction[];
  /** Polls no more, and lets what is being worked on end for a while. What does not end keeps its message invisible. */
  stop(graceMs: number): Promise<void>;
}

/** .NET's (Azure.Core: RetryOptions). */
const RETRIES = { maxTries: 4, retryDelayInMs: 800 };

const REASONS: Readonly<Record<string, string>> = {
  noExtension: 'the binding type queueTrigger is not registered. host.json names no extensionBundle.',
  missing: 'there is no setting for its connection.',
  identity: 'its connection wants an identity, and this host takes connection strings alone.',
};

/**
 * Listens to the queue of each function. One without an account is silent; the host runs all the same.
 *
 * @param options undefined where host.json names no extension that has the trigger
 */
export async function startQueues(
  functions: readonly QueueFunction[],
  settings: NodeJS.ProcessEnv,
  options: QueueOptions | undefined,
  context: InvocationContext,
): Promise<Queues> {
  const closed = new AbortController();
  const listeners: QueueListener[] = [];
  const running: QueueFunction[] = [];
  for (const called of functions) {
    const connection = findQueueConnection(called.connection, settings);
    if (options === undefined || connection.kind !== 'connectionString') {
      const fault = options === undefined ? 'noExtension' : connection.kind;
      context.log({ level: 'warning', category: 'host', message: `${called.name} does not run: ${REASONS[fault]}` });
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
        for (const listener of listeners) {
          if (listener.queueName === poisonName) {
            listener.wake();
          }
        }
      }),
    );
  }
  return {
    functions: running,
    async stop(graceMs) {
      const timer = new AbortController();
      const stopped = Promise.all(listeners.map((listener) => listener.stop()));
      await Promise.race([stopped, delay(graceMs, undefined, { signal: timer.signal }).catch(() => undefined)]);
      timer.abort();
      closed.abort();
    },
  };
}

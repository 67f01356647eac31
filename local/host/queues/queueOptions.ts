import { availableParallelism } from 'node:os';
import { parseTimeSpan } from '../parseTimeSpan.ts';

/** `extensions.queues` of host.json (learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue). */
export interface QueueOptions {
  /** How many messages one poll takes, 32 at most. */
  readonly batchSize: number;
  /** The next poll waits until no more than these are being worked on. */
  readonly newBatchThreshold: number;
  /** The delivery at which a failure sends a message to the poison queue. */
  readonly maxDequeueCount: number;
  /** How long a message rests after a failure. */
  readonly visibilityTimeoutMs: number;
  readonly maxPollingIntervalMs: number;
  readonly messageEncoding: 'base64' | 'none';
}

const DEFAULT_BATCH_SIZE = 16;
const MAX_BATCH_SIZE = 32;
const DEFAULT_POLLING_MS = 60_000;
const DEVELOPMENT_POLLING_MS = 2_000;

/**
 * @param find a member of `extensions.queues`
 * @param isDevelopment then the default interval between polls is two seconds
 * @throws Error as the extension does, on a batch size that is none
 */
export function readQueueOptions(find: (name: string) => unknown, isDevelopment: boolean): QueueOptions {
  const batchSize = Number(find('batchSize') ?? DEFAULT_BATCH_SIZE);
  if (!(batchSize >= 1 && batchSize <= MAX_BATCH_SIZE)) {
    throw new Error(`host.json: extensions.queues.batchSize must be from 1 to ${MAX_BATCH_SIZE}.`);
  }
  const polling = parseTimeSpan(find('maxPollingInterval')) ?? DEFAULT_POLLING_MS;
  return {
    batchSize,
    newBatchThreshold: Number(find('newBatchThreshold') ?? Math.floor(batchSize / 2) * availableParallelism()),
    maxDequeueCount: Number(find('maxDequeueCount') ?? 5),
    visibilityTimeoutMs: parseTimeSpan(find('visibilityTimeout')) ?? 0,
    maxPollingIntervalMs: isDevelopment && polling === DEFAULT_POLLING_MS ? DEVELOPMENT_POLLING_MS : polling,
    messageEncoding: String(find('messageEncoding')).toLowerCase() === 'none' ? 'none' : 'base64',
  };
}

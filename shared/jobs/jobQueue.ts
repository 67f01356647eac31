import type { QueueClient } from '@azure/storage-queue';
import { abortable } from '../common/deadline.ts';
import { lazy } from '../common/lazy.ts';
import {
  JOB_MESSAGE_LIFE_SECONDS,
  STORAGE_ATTEMPTS,
  STORAGE_RETRY_DELAY_MS,
  STORAGE_TIMEOUT_MS,
} from '../common/limits.ts';
import type { JobsConfig } from '../config/jobsConfig.ts';
import { createStorageCredential } from '../storage/blobContainer.ts';
import { isQueueMissing, storageUnavailable } from '../storage/storageErrors.ts';
import { sealJobId, unsealJobId } from './jobMessage.ts';

/** infra/app/storage.bicep makes both; the host moves a message there that has failed again and again. */
export const JOB_QUEUE = 'attach-jobs';
export const JOB_POISON_QUEUE = `${JOB_QUEUE}-poison`;

/** The queue whose messages make workers look at jobs. What is true of a job stands in its record alone. */
export interface JobQueue {
  /** @throws ServiceError StorageUnavailable */
  send(id: string, delayMs: number): Promise<void>;
  /** Finds out whether the queue is there and may be read. @throws ServiceError StorageUnavailable */
  check(): Promise<void>;
  /** The upload's id; undefined for a message that is none of ours. */
  idIn(message: unknown): string | undefined;
  /** The whole time of a job. */
  readonly timeoutMs: number;
}

/** @param onFailure is called with the reason why the queue could not be used, for the log */
export function createJobQueue(
  config: Extract<JobsConfig, { kind: 'queue' }>,
  onFailure: (error: unknown) => void,
): JobQueue {
  const { key, timeoutMs } = config;
  const client = lazy(() => createClient(config));

  async function use(work: (queue: QueueClient, abortSignal: AbortSignal) => Promise<unknown>): Promise<void> {
    const abortSignal = AbortSignal.timeout(STORAGE_TIMEOUT_MS);
    try {
      const used = client().then((queue) => madeWhereMissing(queue, abortSignal, () => work(queue, abortSignal)));
      await abortable(used, abortSignal);
    } catch (error) {
      const failure = storageUnavailable(error);
      onFailure(failure);
      throw failure;
    }
  }

  return {
    timeoutMs,
    idIn: (message) => unsealJobId(message, key),
    send(id, delayMs) {
      // The trigger decodes base64 first; text that is none goes to the poison queue (host-measured).
      const text = Buffer.from(sealJobId(id, key)).toString('base64');
      const visibilityTimeout = Math.max(0, Math.ceil(delayMs / 1000));
      return use((queue, abortSignal) =>
        queue.sendMessage(text, { abortSignal, messageTimeToLive: JOB_MESSAGE_LIFE_SECONDS, visibilityTimeout }),
      );
    },
    check: () => use((queue, abortSignal) => queue.getProperties({ abortSignal })),
  };
}

/** Makes the queue where it is missing, as on a developer's machine. */
async function madeWhereMissing(
  queue: QueueClient,
  abortSignal: AbortSignal,
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isQueueMissing(error)) throw error;
    await queue.createIfNotExists({ abortSignal });
    await work();
  }
}

async function createClient({ storage }: Extract<JobsConfig, { kind: 'queue' }>): Promise<QueueClient> {
  const { QueueClient } = await import('../storage/storageLibrary.ts');
  const options = { retryOptions: { maxTries: STORAGE_ATTEMPTS, retryDelayInMs: STORAGE_RETRY_DELAY_MS } };
  return storage.kind === 'connectionString'
    ? new QueueClient(storage.connectionString, JOB_QUEUE, options)
    : new QueueClient(
        `${storage.queueServiceUri}/${JOB_QUEUE}`,
        await createStorageCredential(storage.credential),
        options,
      );
}

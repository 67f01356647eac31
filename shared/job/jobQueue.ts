import type { QueueClient } from '@azure/storage-queue';
import type { JobsConfig } from '../config/jobsConfig.ts';
import { untilAborted } from '../deadline.ts';
import { JOB_MESSAGE_LIFE_SECONDS, STORAGE_ATTEMPTS, STORAGE_RETRY_DELAY_MS, STORAGE_TIMEOUT_MS } from '../limits.ts';
import { once } from '../once.ts';
import { isQueueMissing, storageUnavailable } from '../upload/storageFault.ts';
import { createStorageCredential } from '../upload/uploadContainer.ts';
import { sealJobId, unsealJobId } from './jobMessage.ts';

/** infra/app/storage.bicep makes both; the host moves a message there that has failed again and again. */
export const JOB_QUEUE = 'attach-jobs';
export const JOB_POISON_QUEUE = `${JOB_QUEUE}-poison`;

/** The queue whose messages make workers look at jobs. What is true of a job stands in its record alone. */
export interface JobQueue {
  /** @throws ServiceError StorageUnavailable */
  send(id: string, delayMs: number): Promise<void>;
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
  const client = once(() => createClient(config));
  return {
    timeoutMs,
    idIn: (message) => unsealJobId(message, key),
    async send(id, delayMs) {
      const abortSignal = AbortSignal.timeout(STORAGE_TIMEOUT_MS);
      // The trigger decodes base64 first; text that is none goes to the poison queue (host-measured).
      const text = Buffer.from(sealJobId(id, key)).toString('base64');
      const options = {
        abortSignal,
        messageTimeToLive: JOB_MESSAGE_LIFE_SECONDS,
        visibilityTimeout: Math.max(0, Math.ceil(delayMs / 1000)),
      };
      try {
        await untilAborted(
          client().then((queue) => send(queue, text, options)),
          abortSignal,
        );
      } catch (error) {
        const failure = storageUnavailable(error);
        onFailure(failure);
        throw failure;
      }
    },
  };
}

/** Makes the queue where it is missing, as on a developer's machine. */
async function send(queue: QueueClient, text: string, options: Parameters<QueueClient['sendMessage']>[1] & object) {
  try {
    await queue.sendMessage(text, options);
  } catch (error) {
    if (!isQueueMissing(error)) throw error;
    await queue.createIfNotExists(options.abortSignal && { abortSignal: options.abortSignal });
    await queue.sendMessage(text, options);
  }
}

async function createClient({ storage }: Extract<JobsConfig, { kind: 'queue' }>): Promise<QueueClient> {
  const { QueueClient } = await import('../upload/storageLibrary.ts');
  const options = { retryOptions: { maxTries: STORAGE_ATTEMPTS, retryDelayInMs: STORAGE_RETRY_DELAY_MS } };
  return storage.kind === 'connectionString'
    ? new QueueClient(storage.connectionString, JOB_QUEUE, options)
    : new QueueClient(
        `${storage.queueServiceUri}/${JOB_QUEUE}`,
        await createStorageCredential(storage.credential),
        options,
      );
}

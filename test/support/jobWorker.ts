import { setTimeout as delay } from 'node:timers/promises';
import { QueueClient } from '@azure/storage-queue';
import type { HostLog } from '../../local/host/log.ts';
import { startWorkerProcess } from '../../local/host/workerProcess.ts';
import { JOB_POISON_QUEUE, JOB_QUEUE } from '../../shared/job/jobQueue.ts';

/** An instance of the built app that takes the messages of jobs, as the queue trigger hands them over. */
export interface JobWorker {
  /** Of the process that can be killed. */
  readonly pid: number;
  isAlive(): boolean;
  /** Ends it as the platform does when it scales in, unless it has ended. */
  stop(): Promise<void>;
}

export interface JobWorkerOptions {
  readonly appRoot: string;
  readonly env: NodeJS.ProcessEnv;
  readonly connectionString: string;
  readonly log: HostLog;
  /** How long a message is away that is being worked on; default 30. */
  readonly visibilitySeconds?: number;
}

const MOST_AT_ONCE = 8;
const POLL_MS = 100;
const RETRY_SECONDS = 2;
const MAX_DEQUEUE_COUNT = 5;

const FUNCTIONS = { [JOB_QUEUE]: 'attachJob', [JOB_POISON_QUEUE]: 'attachJobPoison' };

export async function startJobWorker(options: JobWorkerOptions): Promise<JobWorker> {
  const { appRoot, env, connectionString, log, visibilitySeconds = 30 } = options;
  const worker = await startWorkerProcess(appRoot, env, log);
  const poison = new QueueClient(connectionString, JOB_POISON_QUEUE);
  const running = new Set<Promise<void>>();
  let isAlive = true;
  void worker.crashed.then(() => {
    isAlive = false;
  });

  async function take(queue: QueueClient): Promise<readonly Message[]> {
    const most = MOST_AT_ONCE - running.size;
    if (most <= 0) return [];
    try {
      const about = { numberOfMessages: most, visibilityTimeout: visibilitySeconds };
      return (await queue.receiveMessages(about)).receivedMessageItems;
    } catch {
      return []; // The queue is not there yet, or the account is out of reach.
    }
  }

  async function run(queue: QueueClient, name: string, message: Message): Promise<void> {
    const { messageId, popReceipt, messageText, dequeueCount } = message;
    const { functionId, bindings } = worker.app.functions.find((one) => one.name === name) ?? { bindings: {} };
    const outcome = await worker.invoke({
      invocationId: crypto.randomUUID(),
      functionId: functionId ?? name,
      inputData: [
        { name: Object.keys(bindings)[0] ?? '', data: { string: Buffer.from(messageText, 'base64').toString() } },
      ],
      triggerMetadata: { dequeueCount: { json: String(dequeueCount) }, id: { string: messageId } },
      traceContext: { traceParent: '', traceState: '', attributes: {} },
    });
    if (outcome.kind === 'returned') {
      await queue.deleteMessage(messageId, popReceipt);
    } else if (dequeueCount < MAX_DEQUEUE_COUNT) {
      await queue.updateMessage(messageId, popReceipt, messageText, RETRY_SECONDS);
    } else {
      await poison.createIfNotExists();
      await poison.sendMessage(messageText);
      await queue.deleteMessage(messageId, popReceipt);
    }
  }

  async function listen(queueName: string, name: string): Promise<void> {
    const queue = new QueueClient(connectionString, queueName);
    while (isAlive) {
      const taken = await take(queue);
      for (const message of taken) {
        const ended = run(queue, name, message).catch(() => {}); // The message comes back.
        running.add(ended);
        void ended.then(() => running.delete(ended));
      }
      if (taken.length === 0) await delay(POLL_MS);
    }
  }

  const listening = Object.entries(FUNCTIONS).map(([queueName, name]) => listen(queueName, name));
  return {
    pid: worker.pid,
    isAlive: () => isAlive,
    async stop() {
      isAlive = false;
      await worker.stop();
      await Promise.all([...listening, ...running]);
    },
  };
}

type Message = Awaited<ReturnType<QueueClient['receiveMessages']>>['receivedMessageItems'][number];

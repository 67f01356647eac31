import { setTimeout as delay } from 'node:timers/promises';
import type { DequeuedMessageItem } from '@azure/storage-queue';
import { INVISIBLE_SECONDS } from './heldMessage.ts';
import { createPollingDelay } from './pollingDelay.ts';
import { type MessageWork, workMessage } from './workMessage.ts';

export interface QueueListener {
  readonly queueName: string;
  /** Ends a wait between two polls: a message was put into the queue by this host. */
  wake(): void;
  /** Polls no more; resolves when nothing is being worked on. */
  stop(): Promise<void>;
}

/**
 * Polls a queue: batch after batch while there are messages, and with growing waits when there are none or the account
 * cannot be reached. (azure-sdk-for-net: QueueListener)
 *
 * @param onPoison a message has gone to the poison queue
 */
export function listenToQueue(work: MessageWork, onPoison: () => void): QueueListener {
  const { queue, options, context, called } = work;
  const stopping = new AbortController();
  const underWay = new Set<Promise<void>>();
  const nextDelay = createPollingDelay(options.maxPollingIntervalMs);
  let waking = new AbortController();
  let hasFoundMessage = false;
  let lastError = '';

  /** No messages when the account cannot be reached, or the queue does not exist. */
  async function receive(): Promise<readonly DequeuedMessageItem[]> {
    try {
      const { receivedMessageItems } = await queue.receiveMessages({
        numberOfMessages: options.batchSize,
        visibilityTimeout: INVISIBLE_SECONDS,
        abortSignal: stopping.signal,
      });
      lastError = '';
      return receivedMessageItems;
    } catch (error) {
      report(error);
      return [];
    }
  }

  function report(error: unknown): void {
    const isMissing = error instanceof Error && 'statusCode' in error && error.statusCode === 404;
    if (!isMissing && !stopping.signal.aborted && String(error) !== lastError) {
      lastError = String(error);
      const message = `Functions.${called.name} cannot read queue '${called.queueName}': ${lastError}`;
      context.log({ level: 'error', category: 'host', message });
    }
  }

  function begin(message: DequeuedMessageItem): void {
    const done: Promise<void> = workMessage(work, message, onPoison).then(() => void underWay.delete(done));
    underWay.add(done);
  }

  async function wait(): Promise<void> {
    waking = new AbortController();
    const signal = AbortSignal.any([stopping.signal, waking.signal]);
    await delay(nextDelay(hasFoundMessage), undefined, { signal, ref: false }).catch(() => undefined);
    hasFoundMessage = false;
  }

  async function poll(): Promise<void> {
    while (!stopping.signal.aborted) {
      const messages = await receive();
      for (const message of messages) {
        begin(message);
      }
      if (messages.length === 0) {
        await wait();
      } else {
        hasFoundMessage = true;
      }
      while (underWay.size > options.newBatchThreshold) {
        await Promise.race(underWay);
      }
    }
  }

  const polled = poll();
  return {
    queueName: called.queueName,
    wake: () => waking.abort(),
    async stop() {
      stopping.abort();
      await polled;
      await Promise.all(underWay);
    },
  };
}

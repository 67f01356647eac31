import { setTimeout as delay } from 'node:timers/promises';
import type { DequeuedMessageItem } from '@azure/storage-queue';
import { INVISIBLE_SECONDS, type MessageWork, workMessage } from './workMessage.ts';

export type QueueListener = ReturnType<typeof listenToQueue>;

const MINIMUM_DELAY_MS = 100;
const RANDOM_SHARE = 0.2;

/**
 * Polls a queue: batch after batch while there are messages, and with growing delays if there are none or the account
 * is not reachable. (azure-sdk-for-net: QueueListener)
 *
 * @param onPoison called after a message was moved to the poison queue
 */
export function listenToQueue(work: MessageWork, onPoison: () => void) {
  const { queue, options, context, called } = work;
  const stopping = new AbortController();
  const underWay = new Set<Promise<void>>();
  const nextDelay = createPollingDelay(options.maxPollingIntervalMs);
  let waking = new AbortController();
  let hasFoundMessage = false;
  let lastError = '';

  /** No messages if the account is not reachable, or the queue does not exist. */
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
    /** Ends a wait between two polls, because this host has sent a message to the queue. */
    wake: () => waking.abort(),
    /** Stops polling; resolves when no message is in work. */
    async stop(): Promise<void> {
      stopping.abort();
      await polled;
      await Promise.all(underWay);
    },
  };
}

/**
 * The delay before the next poll of an empty queue: 100 ms, then about twice as long each time, up to the maximum.
 * (azure-sdk-for-net: RandomizedExponentialBackoffStrategy)
 *
 * @param hasFoundMessage since the last wait
 */
export function createPollingDelay(maximumMs: number): (hasFoundMessage: boolean) => number {
  let exponent = 0;
  let currentMs = 0;
  return (hasFoundMessage) => {
    if (hasFoundMessage) {
      exponent = 1;
      currentMs = MINIMUM_DELAY_MS;
    } else if (currentMs !== maximumMs) {
      const factor = 1 - RANDOM_SHARE + 2 * RANDOM_SHARE * Math.random();
      const nextMs = MINIMUM_DELAY_MS + (exponent > 0 ? factor * 2 ** (exponent - 1) * MINIMUM_DELAY_MS : 0);
      exponent += 1;
      currentMs = Math.min(nextMs, maximumMs);
    }
    return currentMs;
  };
}

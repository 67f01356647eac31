import type { DequeuedMessageItem, QueueClient, RestError } from '@azure/storage-queue';
import type { QueueOptions } from '../hostJson.ts';
import type { HostLog } from '../log.ts';
import { type InvocationContext, runInvocation } from '../runInvocation.ts';
import type { QueueFunction } from './queueFunctions.ts';
import { createQueueInvocation, decodeMessage } from './queueInvocation.ts';

/** How long a received message stays invisible; renewed after half of it (azure-sdk-for-net: QueueListener). */
export const INVISIBLE_SECONDS = 600;

export interface MessageWork {
  readonly called: QueueFunction;
  readonly queue: QueueClient;
  /** Undefined for a poison queue: a message that fails there stays invisible for its time. */
  readonly poison: QueueClient | undefined;
  readonly options: QueueOptions;
  readonly context: InvocationContext;
  /** Aborts when the host closes: the message of a call that has not ended stays invisible. */
  readonly closed: AbortSignal;
}

/**
 * Calls the function for one message. It then deletes the message after a success, releases it after a failure, and moves it
 * to the poison queue at the last delivery, or if it cannot be decoded. (azure-sdk-for-net: QueueProcessor)
 *
 * @param onPoison called after it was moved there
 */
export async function workMessage(
  work: MessageWork,
  message: DequeuedMessageItem,
  onPoison: () => void,
): Promise<void> {
  const { called, queue, poison, options, context, closed } = work;
  const body = decodeMessage(message.messageText, options.messageEncoding);
  const held = holdMessage(queue, message, (error) => report(context.log, called, error));
  try {
    const isPoison = body === undefined || message.dequeueCount > options.maxDequeueCount;
    const hasSucceeded = !isPoison && (await call(work, message, body));
    held.letGo();
    if (closed.aborted) return;
    if (hasSucceeded) {
      await held.delete();
    } else if (poison !== undefined && (isPoison || message.dequeueCount >= options.maxDequeueCount)) {
      const text = `Message has reached MaxDequeueCount of ${options.maxDequeueCount}, or cannot be read. Moving message to queue '${poison.name}'.`;
      context.log({ level: 'warning', category: 'host', message: text });
      await held.moveTo(poison);
      onPoison();
    } else if (poison !== undefined) {
      await held.release(options.visibilityTimeoutMs);
    }
  } catch (error) {
    report(context.log, called, error);
  } finally {
    held.letGo();
  }
}

async function call({ called, context }: MessageWork, message: DequeuedMessageItem, body: Buffer): Promise<boolean> {
  try {
    const request = createQueueInvocation(called, message, body);
    const outcome = await runInvocation(context, await context.workers.ready(), called.name, request);
    return outcome.kind === 'returned';
  } catch (error) {
    report(context.log, called, error);
    return false;
  }
}

function report(log: HostLog, { name, queueName }: QueueFunction, error: unknown): void {
  log({ level: 'error', category: 'host', message: `Functions.${name}, queue '${queueName}': ${String(error)}` });
}

/** Keeps a message invisible until it is let go. If another host has taken it over, all calls do nothing. */
function holdMessage(
  queue: QueueClient,
  { messageId, messageText, popReceipt }: DequeuedMessageItem,
  report: (error: unknown) => void,
) {
  let receipt = popReceipt;
  const timer = setInterval(() => void renew(), (INVISIBLE_SECONDS * 1_000) / 2);

  async function unlessLost(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!isLost(error)) throw error;
    }
  }

  async function renew(): Promise<void> {
    await unlessLost(async () => {
      receipt = (await queue.updateMessage(messageId, receipt, undefined, INVISIBLE_SECONDS)).popReceipt ?? receipt;
    }).catch(report);
  }

  return {
    delete: () => unlessLost(() => queue.deleteMessage(messageId, receipt)),
    /** Releases it, to be delivered again after that time. */
    release: (afterMs: number) =>
      unlessLost(() => queue.updateMessage(messageId, receipt, undefined, Math.ceil(afterMs / 1_000))),
    /** Copies its stored text to another queue, which it creates if necessary, and deletes the message. */
    async moveTo(other: QueueClient): Promise<void> {
      await other.createIfNotExists();
      await other.sendMessage(messageText);
      await unlessLost(() => queue.deleteMessage(messageId, receipt));
    },
    /** Ends the renewals. */
    letGo: () => clearInterval(timer),
  };
}

/** The message was deleted, or has another owner. */
function isLost(error: unknown): boolean {
  const { statusCode, code }: Partial<RestError> = error instanceof Error ? error : {};
  return statusCode === 404 || code === 'PopReceiptMismatch';
}

import type { DequeuedMessageItem, QueueClient, RestError } from '@azure/storage-queue';

/** For how long a message that was received stays invisible; renewed at half of it (azure-sdk-for-net: QueueListener). */
export const INVISIBLE_SECONDS = 600;

/** A message that this host works on. What is done to one that someone else has taken over meanwhile does nothing. */
export interface HeldMessage {
  delete(): Promise<void>;
  /** Gives it back, to be delivered again after that time. */
  release(afterMs: number): Promise<void>;
  /** Copies its text, as it is stored, to another queue, which is created where there is none, and deletes it. */
  moveTo(queue: QueueClient): Promise<void>;
  /** Ends the renewals. */
  letGo(): void;
}

/** Keeps a message invisible until it is let go. */
export function holdMessage(
  queue: QueueClient,
  { messageId, messageText, popReceipt }: DequeuedMessageItem,
  report: (error: unknown) => void,
): HeldMessage {
  let receipt = popReceipt;
  const timer = setInterval(() => void renew(), (INVISIBLE_SECONDS * 1_000) / 2);

  async function unlessLost(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!isLost(error)) {
        throw error;
      }
    }
  }

  async function renew(): Promise<void> {
    await unlessLost(async () => {
      receipt = (await queue.updateMessage(messageId, receipt, undefined, INVISIBLE_SECONDS)).popReceipt ?? receipt;
    }).catch(report);
  }

  return {
    delete: () => unlessLost(() => queue.deleteMessage(messageId, receipt)),
    release: (afterMs) =>
      unlessLost(() => queue.updateMessage(messageId, receipt, undefined, Math.ceil(afterMs / 1_000))),
    async moveTo(other) {
      await other.createIfNotExists();
      await other.sendMessage(messageText);
      await unlessLost(() => queue.deleteMessage(messageId, receipt));
    },
    letGo: () => clearInterval(timer),
  };
}

/** The message was deleted, or has another owner. */
function isLost(error: unknown): boolean {
  const { statusCode, code }: Partial<RestError> = error instanceof Error ? error : {};
  return statusCode === 404 || code === 'PopReceiptMismatch';
}

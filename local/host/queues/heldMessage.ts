import type { DequeuedMessageItem, QueueClient, RestError } from '@azure/storage-queue';

/** How long a received message stays invisible; renewed after half of it (azure-sdk-for-net: QueueListener). */
export const INVISIBLE_SECONDS = 600;

/** A message that this host works on. If another host has taken it over, all calls do nothing. */
export interface HeldMessage {
  delete(): Promise<void>;
  /** Releases it, to be delivered again after that time. */
  release(afterMs: number): Promise<void>;
  /** Copies its stored text to another queue, which it creates if necessary, and deletes the message. */
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

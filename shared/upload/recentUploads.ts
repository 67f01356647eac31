import { LATE_WRITE_MS, MAX_RECENT_UPLOADS, RECENT_UPLOAD_MS } from '../limits.ts';
import type { UploadRecord } from './uploadRecord.ts';
import { type StoredUpload, UploadConflict, type UploadStore } from './uploadStore.ts';

/**
 * Records as this instance left them, for the next range of the same upload: it need not read its record, and what the last
 * range came to is written together with its own intention. Both are writes on the condition of the record's etag, so that a
 * record that others have moved on is found out before a byte too many is at Graph. What no range writes within a moment is
 * written by itself: until then other instances see the bytes of the last range as sent and not yet confirmed, which they
 * know how to settle, as after a lost answer.
 */
export interface RecentUploads {
  keep(stored: StoredUpload): void;
  /**
   * Takes the record out: to be kept again. Undefined where the store's own is to be read.
   * @param isWanted whether a record will do that others may have moved on since
   * @throws ServiceError StorageUnavailable where the record is just being written, and cannot be
   */
  take(id: string, isWanted: (record: UploadRecord) => boolean): Promise<StoredUpload | undefined>;
  /** The record, where it is newer than the store's. @throws as take does */
  peek(id: string): Promise<StoredUpload | undefined>;
}

interface Entry {
  readonly timer: NodeJS.Timeout;
  readonly stored: StoredUpload;
}

export function createRecentUploads(store: Pick<UploadStore, 'write'>, lateWriteMs = LATE_WRITE_MS): RecentUploads {
  const entries = new Map<string, Entry>();
  const writing = new Map<string, Promise<void>>();

  function keep(stored: StoredUpload): void {
    const { id, isWritten } = stored;
    forget(id);
    if (isWritten && entries.size >= MAX_RECENT_UPLOADS) return;
    const timer = isWritten
      ? setTimeout(() => entries.delete(id), RECENT_UPLOAD_MS)
      : setTimeout(() => void writeLate(id), lateWriteMs);
    entries.set(id, { timer: timer.unref(), stored });
  }

  function forget(id: string): Entry | undefined {
    const entry = entries.get(id);
    clearTimeout(entry?.timer);
    entries.delete(id);
    return entry;
  }

  /** A write that fails leaves the record as it was, with the range as one whose answer was lost. */
  async function writeLate(id: string): Promise<void> {
    const stored = forget(id)?.stored;
    if (stored === undefined) return;
    const written = store.write(stored, stored.record).then(keep, (error: unknown) => {
      if (!(error instanceof UploadConflict)) throw error;
    });
    writing.set(id, written);
    await written.catch(() => {}); // The store has said so in the log; whoever takes the record meets it.
    writing.delete(id);
  }

  return {
    keep,
    async take(id, isWanted) {
      await writing.get(id);
      const stored = forget(id)?.stored;
      return stored !== undefined && (!stored.isWritten || isWanted(stored.record)) ? stored : undefined;
    },
    async peek(id) {
      await writing.get(id);
      const stored = entries.get(id)?.stored;
      return stored?.isWritten ? undefined : stored;
    },
  };
}

import { LATE_WRITE_MS, MAX_RECENT_UPLOADS, RECENT_UPLOAD_MS } from '../limits.ts';
import type { UploadRecord } from './uploadRecord.ts';
import type { StoredUpload, UploadStore } from './uploadStore.ts';

/**
 * Records as this instance left them, for the next range of the same upload: it need not read its record, and what the last
 * range came to is written together with its own intention. Both are writes on the condition of the record's etag, so that a
 * record that others have moved on is found out before a byte too many is at Graph. What no range writes within a moment is
 * written by itself: until then other instances see the bytes of the last range as sent and not yet confirmed, which they
 * know how to settle, as after a lost answer.
 */
export interface RecentUploads {
  /** @param isWritten whether the store has the record as it is here */
  keep(stored: StoredUpload, isWritten: boolean): void;
  /** The record, if it is wanted as it is. What is not written yet is written first where it is not. Never fails. */
  take(id: string, isWanted: (record: UploadRecord) => boolean): Promise<StoredUpload | undefined>;
}

interface Entry {
  readonly timer: NodeJS.Timeout;
  readonly stored: StoredUpload;
  readonly isWritten: boolean;
}

export function createRecentUploads(store: Pick<UploadStore, 'write'>, lateWriteMs = LATE_WRITE_MS): RecentUploads {
  const entries = new Map<string, Entry>();
  const writing = new Map<string, Promise<void>>();

  function keep(stored: StoredUpload, isWritten: boolean): void {
    const { id } = stored;
    forget(id);
    if (isWritten && entries.size >= MAX_RECENT_UPLOADS) return;
    const timer = isWritten
      ? setTimeout(() => entries.delete(id), RECENT_UPLOAD_MS)
      : setTimeout(() => void write(id), lateWriteMs);
    entries.set(id, { timer: timer.unref(), stored, isWritten });
  }

  function forget(id: string): Entry | undefined {
    const entry = entries.get(id);
    clearTimeout(entry?.timer);
    entries.delete(id);
    return entry;
  }

  /** A write that fails leaves the record as it was, with the range as one whose answer was lost. */
  async function write(id: string): Promise<void> {
    const entry = forget(id);
    if (entry === undefined || entry.isWritten) return;
    const { stored } = entry;
    const written = store.write(stored, stored.record).then(
      (current) => keep(current, true),
      () => {},
    );
    writing.set(id, written);
    await written;
    writing.delete(id);
  }

  return {
    keep,
    async take(id, isWanted) {
      await writing.get(id);
      const entry = entries.get(id);
      if (entry !== undefined && isWanted(entry.stored.record)) return forget(id)?.stored;
      await write(id);
      forget(id);
      return undefined;
    },
  };
}

import { pause } from '../common/deadline.ts';
import { UPLOAD_LEASE_POLL_MS, UPLOAD_LEASE_RENEW_MS, UPLOAD_LEASE_SECONDS } from '../common/limits.ts';
import type { UploadFailure } from '../graph/graphResponse.ts';
import { RecordConflict } from '../storage/recordStore.ts';
import { withLease } from '../storage/withLease.ts';
import { attachmentIdIn } from '../transfer/findAttachment.ts';
import { StoredProgress } from '../transfer/storedProgress.ts';
import type { TransferRecord } from '../transfer/transferRecord.ts';
import type { UploadRecord } from './uploadRecord.ts';

/** The progress of an upload, which callers advance. */
export class UploadProgress extends StoredProgress<UploadRecord> {
  get transfer(): TransferRecord {
    return this.record;
  }

  get isOngoing(): boolean {
    return this.record.state.status === 'uploading';
  }

  override get mayBeAttached(): boolean {
    return this.record.state.status !== 'completed' && super.mayBeAttached;
  }

  /** The end of the upload. What is attached is attached, whatever others have written meanwhile. */
  async complete(location: string): Promise<void> {
    const { sizeBytes } = this.record.attachment;
    const state = { status: 'completed', location, attachmentId: attachmentIdIn(location) } as const;
    await this.insist(
      () => this.record.state.status === 'completed',
      () => this.write({ ...this.record, state, offset: sizeBytes, uncertainOffsets: [] }),
    );
  }

  /** Afterwards nobody continues the upload: their next write is a conflict. Does nothing if it has ended. */
  async cancel(): Promise<void> {
    await this.insist(
      () => !this.isOngoing,
      () => this.write({ ...this.record, state: { status: 'cancelled' } }),
    );
  }

  fail(error: UploadFailure): Promise<void> {
    return this.write({ ...this.record, state: { status: 'failed', error } });
  }

  /**
   * Runs work that cannot be undone while no other instance does. Waits until the work of another ends; an instance that has
   * died keeps the upload for a while longer.
   *
   * @throws RecordConflict if the upload has ended meanwhile, the signal's reason, and what the work throws
   */
  async withLease<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const { id } = this.stored;
    let lease = await this.store.acquireLease(id, UPLOAD_LEASE_SECONDS);
    while (lease === undefined) {
      await pause(UPLOAD_LEASE_POLL_MS, signal);
      lease = await this.store.acquireLease(id, UPLOAD_LEASE_SECONDS);
    }
    this.lease = lease;
    return withLease(this.store, lease, { renewEveryMs: UPLOAD_LEASE_RENEW_MS }, async () => {
      try {
        await this.refresh();
        if (!this.isOngoing) throw new RecordConflict('The upload has ended.');
        return await work();
      } finally {
        this.lease = undefined;
      }
    });
  }

  protected changed(changes: Partial<TransferRecord>): UploadRecord {
    return { ...this.record, ...changes };
  }
}

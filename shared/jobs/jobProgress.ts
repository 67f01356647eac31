import type { UploadFailure } from '../graph/graphResponse.ts';
import { attachmentIdIn } from '../transfer/findAttachment.ts';
import { StoredProgress } from '../transfer/storedProgress.ts';
import type { TransferRecord } from '../transfer/transferRecord.ts';
import { currentFile, type JobFile, type JobRecord, type StoredJob } from './jobRecord.ts';

/** The progress of a job, which runs of workers advance under the lease of its record. */
export class JobProgress extends StoredProgress<JobRecord> {
  get transfer(): JobFile {
    return currentFile(this.record);
  }

  get isOngoing(): boolean {
    return this.record.state.status === 'running' && this.transfer.attached === undefined;
  }

  override get mayBeAttached(): boolean {
    return this.transfer.attached === undefined && super.mayBeAttached;
  }

  /** The current file is attached, whatever others have written meanwhile. The last file completes the job. */
  async attached(location: string): Promise<void> {
    const index = this.record.files.indexOf(this.transfer);
    const attachmentId = attachmentIdIn(location);
    const isDone = () => this.record.files[index]?.attached !== undefined;
    await this.insist(isDone, () => {
      const { sizeBytes } = this.transfer.attachment;
      const record = this.#withFile({
        offset: sizeBytes,
        uncertainOffsets: [],
        furthestOffset: sizeBytes,
        attached: { location, ...(attachmentId !== undefined && { attachmentId }) },
      });
      const isLast = record.files.every(({ attached }) => attached !== undefined);
      return this.write(isLast ? { ...record, state: { status: 'completed' } } : record);
    });
  }

  /**
   * Afterwards nobody continues the job: their next write is a conflict. Does nothing if it has finished.
   *
   * @param breakLease is called before each try: a worker may have the lease of the record
   */
  async cancel(breakLease: (stored: StoredJob) => Promise<void>): Promise<void> {
    await this.insist(
      () => this.record.state.status !== 'running',
      async () => {
        await breakLease(this.stored);
        await this.write({ ...this.record, state: { status: 'cancelled' } });
      },
    );
  }

  fail(error: UploadFailure): Promise<void> {
    return this.write({ ...this.record, state: { status: 'failed', error } });
  }

  /** Writes the outcome of a run or of a step of it. @throws RecordConflict */
  advance(
    changes: Partial<Pick<JobRecord, 'attempts' | 'wakeUps' | 'lastReason' | 'notBefore' | 'movedAt'>>,
  ): Promise<void> {
    return this.write({ ...this.record, movedAt: new Date().toISOString(), ...changes });
  }

  /** Graph has taken bytes if the offset grows: then the job has all its attempts again. */
  protected changed(changes: Partial<TransferRecord>): JobRecord {
    const { furthestOffset, offset: before } = this.transfer;
    const { offset } = changes;
    if (offset === undefined || offset <= before) return this.#withFile(changes);
    const record = this.#withFile({ ...changes, furthestOffset: Math.max(furthestOffset, offset) });
    return { ...record, movedAt: new Date().toISOString(), attempts: 0, wakeUps: 0 };
  }

  #withFile(changes: Partial<JobFile>): JobRecord {
    const current = this.transfer;
    const files = this.record.files.map((file) => (file === current ? { ...file, ...changes } : file));
    return { ...this.record, files };
  }
}

import { pause } from '../common/deadline.ts';
import {
  MAX_SESSIONS_OPENED,
  UPLOAD_LEASE_POLL_MS,
  UPLOAD_LEASE_RENEW_MS,
  UPLOAD_LEASE_SECONDS,
} from '../common/limits.ts';
import { ServiceError } from '../errors.ts';
import type { AttachmentsApi } from '../graph/attachmentsApi.ts';
import type { JobPart, UploadFailure, UploadRecord } from '../uploads/uploadRecord.ts';
import { type StoredUpload, UploadConflict, type UploadLease, type UploadStore } from '../uploads/uploadStore.ts';
import { withLease } from '../uploads/withLease.ts';
import { attachmentIdIn, findAttachment } from './findAttachment.ts';
import type { Attached, TransferProgress } from './uploadRange.ts';

/** A range that is under way writes a few times at most before it sees what another has written. */
const MAX_WRITE_TRIES = 8;

/**
 * A transfer whose account is the upload's record: each step is written before the next, on condition that nobody else has
 * written meanwhile. So whoever takes it up, in whatever instance, knows what Graph holds and what it may hold.
 */
export class StoredProgress implements TransferProgress {
  readonly #store: UploadStore;
  readonly #item: AttachmentsApi;
  #lease: UploadLease | undefined;
  #stored: StoredUpload;

  constructor(store: UploadStore, item: AttachmentsApi, stored: StoredUpload, lease?: UploadLease) {
    this.#store = store;
    this.#item = item;
    this.#stored = stored;
    this.#lease = lease;
  }

  get upload(): StoredUpload {
    return this.#stored;
  }

  get record(): UploadRecord {
    return this.#stored.record;
  }

  get uncertainOffsets(): readonly number[] {
    return this.record.uncertainOffsets;
  }

  /** Whether the last chunk may have been taken: the item says whether the file is attached. */
  get mayBeAttached(): boolean {
    return this.record.state.status !== 'completed' && this.uncertainOffsets.includes(this.record.attachment.sizeBytes);
  }

  /** Always written: whoever was sending before must not take this sender's chunk for its own refusal. */
  announce(toOffset: number): Promise<void> {
    const uncertainOffsets = [...new Set([...this.uncertainOffsets, toOffset])].sort((a, b) => a - b);
    return this.#write({ uncertainOffsets });
  }

  /**
   * If Graph said so itself, this stays true although another sender has written meanwhile: the record gets it unless it says as
   * much already. A conclusion from Graph's refusal is different, since the other sender may have caused the refusal. A sender
   * that has lost its lease writes nothing.
   */
  async confirm(offset: number, uncertainOffsets: readonly number[], isSaid: boolean): Promise<void> {
    const { job, session } = this.record;
    const write = () =>
      this.#write({ offset, uncertainOffsets, ...(job !== undefined && { job: movedTo(offset, job) }) });
    if (!isSaid || this.#lease !== undefined) return write();
    let isWritten = false;
    const isOvertaken = () =>
      this.record.state.status !== 'uploading' ||
      this.record.session?.uploadUrl !== session?.uploadUrl ||
      this.record.offset >= offset;
    await this.#insist(
      () => isWritten || isOvertaken(),
      async () => {
        await write();
        isWritten = true;
      },
    );
    if (!isWritten) throw new UploadConflict('Another sender has moved the upload on.');
  }

  async reopen(): Promise<boolean> {
    if (this.record.sessionsOpened >= MAX_SESSIONS_OPENED) return false;
    await this.openSession();
    return true;
  }

  /** @throws GraphError */
  async openSession(): Promise<void> {
    const session = await this.#item.openSession(this.record.attachment);
    await this.#write({ session, offset: 0, uncertainOffsets: [], sessionsOpened: this.record.sessionsOpened + 1 });
  }

  /** Graph has said that it took none of what it was sent. */
  refused(): Promise<void> {
    return this.#write({ uncertainOffsets: [] });
  }

  /** @param bytes of a small file, where they are at hand */
  async findAttachment(bytes?: Buffer): Promise<Attached | undefined> {
    const found = await findAttachment(this.#item, this.record, bytes);
    const uploadUrl = this.record.session?.uploadUrl;
    return found && { kind: 'attached', location: this.#item.locationOf(found.id, uploadUrl) };
  }

  /** The end of the upload. What is attached is attached, whatever others have written meanwhile. */
  async complete(location: string): Promise<void> {
    const { sizeBytes } = this.record.attachment;
    const state = { status: 'completed', location, attachmentId: attachmentIdIn(location) } as const;
    await this.#insist(
      () => this.record.state.status === 'completed',
      () => this.#write({ state, offset: sizeBytes, uncertainOffsets: [] }),
    );
  }

  /**
   * From now on nobody goes on with the upload: their next write is a conflict. Does nothing where it has ended.
   *
   * @param breakIn is called before each try: a job's worker holds the record
   */
  async cancel(breakIn: (stored: StoredUpload) => Promise<void> = async () => {}): Promise<void> {
    await this.#insist(
      () => this.record.state.status !== 'uploading',
      async () => {
        await breakIn(this.#stored);
        await this.#write({ state: { status: 'cancelled' } });
      },
    );
  }

  fail(error: UploadFailure): Promise<void> {
    return this.#write({ state: { status: 'failed', error } });
  }

  /** Writes what a job has come to. @throws UploadConflict, TypeError for an upload that is no job */
  moveJob(changes: Partial<JobPart>): Promise<void> {
    const { job } = this.record;
    if (job === undefined) throw new TypeError('This upload is no job.');
    return this.#write({ job: { ...job, movedAt: new Date().toISOString(), ...changes } });
  }

  /**
   * Runs work that cannot be taken back while no other instance does. Waits for one that does to end; one that has died holds the
   * upload for a while longer.
   *
   * @throws UploadConflict where the upload has ended meanwhile, the signal's reason, and what the work throws
   */
  async withLease<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const { id } = this.#stored;
    let lease = await this.#store.acquireLease(id, UPLOAD_LEASE_SECONDS);
    while (lease === undefined) {
      await pause(UPLOAD_LEASE_POLL_MS, signal);
      lease = await this.#store.acquireLease(id, UPLOAD_LEASE_SECONDS);
    }
    this.#lease = lease;
    return withLease(this.#store, lease, { renewEveryMs: UPLOAD_LEASE_RENEW_MS }, async () => {
      try {
        await this.refresh();
        if (this.record.state.status !== 'uploading') throw new UploadConflict('The upload has ended.');
        return await work();
      } finally {
        this.#lease = undefined;
      }
    });
  }

  /** Reads again what others have written. @throws ServiceError UploadNotFound */
  async refresh(): Promise<void> {
    const current = await this.#store.read(this.#stored.id, { isEndIgnored: true });
    if (current === undefined) throw new ServiceError('UploadNotFound', 'There is no such upload, or it has ended.');
    this.#stored = current;
    if (!current.isLeased) this.#lease = undefined; // It was taken from this holder.
  }

  /** Writes in spite of others, unless what they have written is as good. @throws UploadConflict where they never stop */
  async #insist(isDone: () => boolean, write: () => Promise<void>): Promise<void> {
    for (let tries = 1; !isDone(); tries += 1) {
      try {
        await write();
      } catch (error) {
        if (!(error instanceof UploadConflict) || tries === MAX_WRITE_TRIES) throw error;
        await this.refresh();
      }
    }
  }

  async #write(changes: Partial<UploadRecord>): Promise<void> {
    this.#stored = await this.#store.write(this.#stored, { ...this.record, ...changes }, this.#lease);
  }
}

/** A job that Graph has taken bytes for has all its attempts again. */
function movedTo(offset: number, job: JobPart): JobPart {
  const furthestOffset = Math.max(job.furthestOffset, offset);
  return { ...job, movedAt: new Date().toISOString(), attempts: 0, wakeUps: 0, furthestOffset };
}

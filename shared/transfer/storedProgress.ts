import { MAX_SESSIONS_OPENED } from '../common/limits.ts';
import { ServiceError } from '../errors.ts';
import type { AttachmentsApi } from '../graph/attachmentsApi.ts';
import { RecordConflict, type RecordLease, type RecordStore, type StoredRecord } from '../storage/recordStore.ts';
import { findAttachment } from './findAttachment.ts';
import type { TransferRecord } from './transferRecord.ts';
import { endSession, type UploadContext } from './uploadContext.ts';
import type { Attached, TransferProgress } from './uploadRange.ts';

/** A range that is being sent writes a few times at most before it sees what another has written. */
const MAX_WRITE_TRIES = 8;

/**
 * The progress of a transfer that is kept in a record: each step is written before the next, on condition that nobody else has
 * written meanwhile. So any instance that continues the transfer knows what Graph has and what it may have.
 */
export abstract class StoredProgress<R> implements TransferProgress {
  protected readonly store: RecordStore<R>;
  protected lease: RecordLease | undefined;
  readonly #item: AttachmentsApi;
  #stored: StoredRecord<R>;

  constructor(store: RecordStore<R>, item: AttachmentsApi, stored: StoredRecord<R>, lease?: RecordLease) {
    this.store = store;
    this.#item = item;
    this.#stored = stored;
    this.lease = lease;
  }

  /** The part of the record about this file. */
  abstract get transfer(): TransferRecord;

  /** Whether nothing has ended the upload or job, and the file is not attached. */
  abstract get isOngoing(): boolean;

  /** The record with these changes to the part about this file. */
  protected abstract changed(changes: Partial<TransferRecord>): R;

  get stored(): StoredRecord<R> {
    return this.#stored;
  }

  get record(): R {
    return this.#stored.record;
  }

  get uncertainOffsets(): readonly number[] {
    return this.transfer.uncertainOffsets;
  }

  /** Whether Graph may have the last chunk: then the item shows whether the file is attached. */
  get mayBeAttached(): boolean {
    return this.uncertainOffsets.includes(this.transfer.attachment.sizeBytes);
  }

  /** Always written, so that an earlier sender can tell that Graph's 416 was caused by this one. */
  announce(toOffset: number): Promise<void> {
    const uncertainOffsets = [...new Set([...this.uncertainOffsets, toOffset])].sort((a, b) => a - b);
    return this.write(this.changed({ uncertainOffsets }));
  }

  /**
   * If Graph said so itself, this stays true although another sender has written meanwhile: the record gets it unless it says as
   * much already. A conclusion from Graph's refusal is different, since the other sender may have caused the refusal. A sender
   * that has lost its lease writes nothing.
   */
  async confirm(offset: number, uncertainOffsets: readonly number[], isSaid: boolean): Promise<void> {
    const { session } = this.transfer;
    const write = () => this.write(this.changed({ offset, uncertainOffsets }));
    if (!isSaid || this.lease !== undefined) return write();
    let isWritten = false;
    const isOvertaken = () =>
      !this.isOngoing || this.transfer.session?.uploadUrl !== session?.uploadUrl || this.transfer.offset >= offset;
    await this.insist(
      () => isWritten || isOvertaken(),
      async () => {
        await write();
        isWritten = true;
      },
    );
    if (!isWritten) throw new RecordConflict('Another sender has advanced the upload.');
  }

  async reopen(): Promise<boolean> {
    if (this.transfer.sessionsOpened >= MAX_SESSIONS_OPENED) return false;
    await this.openSession();
    return true;
  }

  /** @throws GraphError */
  async openSession(): Promise<void> {
    const session = await this.#item.openSession(this.transfer.attachment);
    const sessionsOpened = this.transfer.sessionsOpened + 1;
    await this.write(this.changed({ session, offset: 0, uncertainOffsets: [], sessionsOpened }));
  }

  /** Graph has said that it took none of what it was sent. */
  refused(): Promise<void> {
    return this.write(this.changed({ uncertainOffsets: [] }));
  }

  /** @param bytes of a small file, if they are in memory */
  async findAttachment(bytes?: Buffer): Promise<Attached | undefined> {
    const found = await findAttachment(this.#item, this.transfer, bytes);
    const uploadUrl = this.transfer.session?.uploadUrl;
    return found && { kind: 'attached', location: this.#item.locationOf(found.id, uploadUrl) };
  }

  /**
   * Ends the session of a cancelled transfer. Returns the attachment if the last chunk was faster.
   *
   * @throws the reason why Graph did not say which was faster: the call may be repeated
   */
  async end(uploadContext: UploadContext): Promise<Attached | undefined> {
    // A small file is attached in one call and has no session: the item shows its outcome.
    const hasNone = this.transfer.session === undefined;
    const session = hasNone ? ({ kind: 'gone' } as const) : await endSession(uploadContext);
    if (session.kind === 'ended' || !this.mayBeAttached) return undefined;
    const attached = await this.findAttachment();
    if (attached === undefined && session.kind === 'unknown') throw session.failure;
    return attached;
  }

  /** Reads what others have written. @throws ServiceError UploadNotFound */
  async refresh(): Promise<void> {
    const current = await this.store.read(this.#stored.id);
    if (current === undefined) throw new ServiceError('UploadNotFound', 'The upload does not exist or has expired.');
    this.#stored = current;
    if (!current.isLeased) this.lease = undefined; // Another has taken it.
  }

  /** Writes in spite of others, unless what they have written is as good. @throws RecordConflict if they never stop */
  protected async insist(isDone: () => boolean, write: () => Promise<void>): Promise<void> {
    for (let tries = 1; !isDone(); tries += 1) {
      try {
        await write();
      } catch (error) {
        if (!(error instanceof RecordConflict) || tries === MAX_WRITE_TRIES) throw error;
        await this.refresh();
      }
    }
  }

  protected async write(record: R): Promise<void> {
    this.#stored = await this.store.write(this.#stored, record, this.lease);
  }
}

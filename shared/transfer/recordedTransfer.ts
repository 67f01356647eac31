import { ServiceError } from '../errors.ts';
import { parseBody } from '../graph/relay.ts';
import { readUploadSession } from '../graph/uploadSession.ts';
import { MAX_SESSIONS_OPENED } from '../limits.ts';
import type { UploadRecord, UploadState } from '../upload/uploadRecord.ts';
import { type StoredUpload, UploadConflict, type UploadLease, type UploadStore } from '../upload/uploadStore.ts';
import { attachmentIdIn, findAttachment } from './findAttachment.ts';
import type { GraphItem } from './graphItem.ts';
import type { Account, Attached } from './sendRange.ts';
import { UpstreamFailure } from './upstreamFailure.ts';

/**
 * A transfer whose account is the upload's record: each step is written before the next, on condition that nobody else has
 * written meanwhile. So whoever takes it up, in whatever instance, knows what Graph holds and what it may hold.
 */
export class RecordedTransfer implements Account {
  readonly #store: UploadStore;
  readonly #item: GraphItem;
  readonly #lease: UploadLease | undefined;
  #stored: StoredUpload;

  constructor(store: UploadStore, item: GraphItem, stored: StoredUpload, lease?: UploadLease) {
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

  get sentTo(): number {
    return this.record.sentTo;
  }

  async intend(toOffset: number): Promise<void> {
    if (toOffset !== this.record.sentTo) await this.#write({ sentTo: toOffset });
  }

  held(offset: number): Promise<void> {
    return this.#write({ offset });
  }

  async reopen(): Promise<boolean> {
    if (this.record.sessionsOpened >= MAX_SESSIONS_OPENED) return false;
    const answer = await this.#item.openSession(this.record.attachment);
    const session = answer.status < 300 ? readUploadSession(parseBody(answer.body)) : undefined;
    if (session === undefined) throw new UpstreamFailure(answer);
    await this.#write({ session, offset: 0, sentTo: 0, sessionsOpened: this.record.sessionsOpened + 1 });
    return true;
  }

  async findAttachment(): Promise<Attached | undefined> {
    const found = await findAttachment(this.#item, this.record);
    return found && { kind: 'attached', location: this.#item.locationOf(found.id) };
  }

  /** The end of the upload. What is attached is attached, whoever has written meanwhile. */
  async complete(location: string): Promise<void> {
    const { sizeBytes } = this.record.attachment;
    const state = { status: 'completed', location, attachmentId: attachmentIdIn(location) } as const;
    const changes = { state, offset: sizeBytes, sentTo: sizeBytes };
    try {
      await this.#write(changes);
    } catch (error) {
      if (!(error instanceof UploadConflict)) throw error;
      await this.refresh();
      if (this.record.state.status !== 'completed') await this.#write(changes);
    }
  }

  /** @throws UploadConflict */
  cancel(): Promise<void> {
    return this.#write({ state: { status: 'cancelled' } });
  }

  fail(error: Extract<UploadState, { status: 'failed' }>['error']): Promise<void> {
    return this.#write({ state: { status: 'failed', error } });
  }

  /** Reads again what others have written. @throws ServiceError UploadNotFound */
  async refresh(): Promise<void> {
    const current = await this.#store.read(this.#stored.id, { isEndIgnored: true });
    if (current === undefined) throw new ServiceError('UploadNotFound', 'There is no such upload, or it has ended.');
    this.#stored = current;
  }

  async #write(changes: Partial<UploadRecord>): Promise<void> {
    this.#stored = await this.#store.write(this.#stored, { ...this.record, ...changes }, this.#lease);
  }
}

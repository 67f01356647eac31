import { ServiceError } from '../errors.ts';
import type { UploadSession } from '../graph/uploadSession.ts';
import { MAX_SESSIONS_OPENED, SESSION_FROM_BYTES } from '../limits.ts';
import type { ByteSource } from '../source/byteSource.ts';
import { createMemorySource } from '../source/memorySource.ts';
import { readWhole } from '../source/readWhole.ts';
import type { UploadRecord } from '../upload/uploadRecord.ts';
import { type AttachedFile, addWhole, isTooLongForOneCall, isTooShortForSession } from './addWhole.ts';
import { ChunkBuffer } from './chunkBuffer.ts';
import { attachmentIdIn, findAttachment, type SoughtFile } from './findAttachment.ts';
import type { GraphItem } from './graphItem.ts';
import { createSending, endSession, type SendingOptions } from './sending.ts';
import { type Account, type Attached, sendRange } from './sendRange.ts';
import { UpstreamFailure } from './upstreamFailure.ts';

/** A file that one request attaches. */
export interface FileToAttach extends Pick<UploadRecord, 'target' | 'attachment' | 'createdAt'> {
  readonly source: ByteSource;
  /** An earlier request for the same file, which may have attached it: the item is looked at first. */
  readonly earlier: Pick<SoughtFile, 'refusedSince'> | undefined;
  /** Called before Graph can have the whole file: from then on only its own refusal says that nothing is attached. */
  readonly onWhole: () => void;
}

/**
 * Attaches a file by the way that fits its size: one call, or a session and pieces. Tenants differ in where the first ends and
 * the second begins, so in the band between Graph's answer decides and the other way is tried once. Nothing stays behind where
 * it fails: the session is ended.
 *
 * @throws UpstreamFailure for Graph's refusal, ServiceError of the source or of the way to Graph, or the deadline's reason
 */
export async function attachFile(
  item: GraphItem,
  file: FileToAttach,
  options: Omit<SendingOptions, 'uploadUrl' | 'mailbox'>,
): Promise<AttachedFile> {
  const { signal } = options.deadline;
  const { sizeBytes } = file.attachment;
  if (sizeBytes < SESSION_FROM_BYTES) {
    const chunks = await readWhole(file.source, signal);
    const there = await findEarlier(item, file, Buffer.concat(chunks));
    if (there !== undefined) return there;
    try {
      return await inOneCall(item, file, chunks);
    } catch (error) {
      if (!isTooLongForOneCall(error, file.attachment)) throw error;
      return await throughSession(item, { ...file, source: createMemorySource(chunks) }, options);
    }
  }
  const there = await findEarlier(item, file);
  if (there !== undefined) return there;
  try {
    return await throughSession(item, file, options);
  } catch (error) {
    if (!isTooShortForSession(error, file.attachment)) throw error; // If so, no byte of the source has been read.
    return await inOneCall(item, file, await readWhole(file.source, signal));
  }
}

async function findEarlier(item: GraphItem, file: FileToAttach, bytes?: Buffer): Promise<AttachedFile | undefined> {
  const found = file.earlier && (await findAttachment(item, { ...file, ...file.earlier }, bytes));
  return found && { id: found.id };
}

async function inOneCall(item: GraphItem, file: FileToAttach, chunks: readonly Buffer[]): Promise<AttachedFile> {
  file.onWhole();
  return addWhole(item, file, chunks);
}

async function throughSession(
  item: GraphItem,
  file: FileToAttach,
  options: Omit<SendingOptions, 'uploadUrl' | 'mailbox'>,
): Promise<AttachedFile> {
  const account = new HeldAccount(item, file);
  await account.open();
  const sending = createSending({ ...options, mailbox: item.mailbox, uploadUrl: () => account.uploadUrl });
  const total = file.attachment.sizeBytes;
  try {
    const outcome = await sendRange(
      sending,
      { first: 0, last: total - 1, total },
      new ChunkBuffer(file.source),
      account,
    );
    if (outcome.kind === 'attached') return { id: attachmentIdIn(outcome.location) };
    if (outcome.kind === 'refused') throw new UpstreamFailure(outcome.answer);
    throw new ServiceError('GraphAnswerInvalid', 'Graph took the whole file and attached nothing.');
  } catch (error) {
    void endSession(sending);
    throw error;
  }
}

/** The account of a transfer that lives and dies with its request. */
class HeldAccount implements Account {
  /** No other request goes on with it. */
  readonly mayHold = [];
  readonly #item: GraphItem;
  readonly #file: FileToAttach;
  #session: UploadSession | undefined;
  #sessionsOpened = 0;

  constructor(item: GraphItem, file: FileToAttach) {
    this.#item = item;
    this.#file = file;
  }

  get uploadUrl(): string {
    return this.#session?.uploadUrl ?? '';
  }

  /** @throws UpstreamFailure */
  async open(): Promise<void> {
    this.#session = await this.#item.openSession(this.#file.attachment);
    this.#sessionsOpened += 1;
  }

  async intend(toOffset: number): Promise<void> {
    if (toOffset === this.#file.attachment.sizeBytes) this.#file.onWhole();
  }

  async held(): Promise<void> {}

  async reopen(): Promise<boolean> {
    if (this.#sessionsOpened >= MAX_SESSIONS_OPENED) return false;
    await this.open();
    return true;
  }

  async findAttachment(): Promise<Attached | undefined> {
    const found = await findAttachment(this.#item, this.#file);
    return found && { kind: 'attached', location: this.#item.locationOf(found.id, this.uploadUrl) };
  }
}

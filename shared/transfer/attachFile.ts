import { MAX_SESSIONS_OPENED, SESSION_FROM_BYTES } from '../common/limits.ts';
import { ServiceError } from '../errors.ts';
import type { AttachmentsApi } from '../graph/attachmentsApi.ts';
import { GraphError } from '../graph/graphError.ts';
import type { UploadSession } from '../graph/uploadSession.ts';
import type { ByteSource } from '../sources/byteSource.ts';
import { createMemorySource } from '../sources/memorySource.ts';
import { readWhole } from '../sources/readWhole.ts';
import { ChunkBuffer } from './chunkBuffer.ts';
import { attachmentIdIn, findAttachment, type SearchedFile } from './findAttachment.ts';
import { type AttachedFile, isTooLongForOneCall, isTooShortForSession, postAttachment } from './smallAttachment.ts';
import type { TransferRecord } from './transferRecord.ts';
import { createUploadContext, endSession, type UploadContextOptions } from './uploadContext.ts';
import { type Attached, type TransferProgress, uploadRange } from './uploadRange.ts';

/** A file that one request attaches. */
export interface FileToAttach extends Pick<TransferRecord, 'target' | 'attachment' | 'createdAt'> {
  readonly source: ByteSource;
  /** An earlier request for the same file, which may have attached it: the item is looked at first. */
  readonly earlier: Pick<SearchedFile, 'refusedSince'> | undefined;
  /** Called before Graph can have the whole file: from then on only its own refusal says that nothing is attached. */
  readonly onFullySent: () => void;
}

/**
 * Attaches a file by the way that fits its size: one call, or a session and chunks. Tenants differ in where the first ends and
 * the second begins, so in the band between Graph's answer decides and the other way is tried once. Nothing stays behind where
 * it fails: the session is ended.
 *
 * @throws GraphError for Graph's refusal, ServiceError of the source or of the way to Graph, or the deadline's reason
 */
export async function attachFile(
  item: AttachmentsApi,
  file: FileToAttach,
  options: Omit<UploadContextOptions, 'uploadUrl' | 'mailbox'>,
): Promise<AttachedFile> {
  const { signal } = options.deadline;
  const { sizeBytes } = file.attachment;
  if (sizeBytes < SESSION_FROM_BYTES) {
    const chunks = await readWhole(file.source, signal);
    const there = await findEarlier(item, file, Buffer.concat(chunks));
    if (there !== undefined) return there;
    try {
      return await postInOneCall(item, file, chunks);
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
    return await postInOneCall(item, file, await readWhole(file.source, signal));
  }
}

async function findEarlier(
  item: AttachmentsApi,
  file: FileToAttach,
  bytes?: Buffer,
): Promise<AttachedFile | undefined> {
  const found = file.earlier && (await findAttachment(item, { ...file, ...file.earlier }, bytes));
  return found && { id: found.id };
}

async function postInOneCall(
  item: AttachmentsApi,
  file: FileToAttach,
  chunks: readonly Buffer[],
): Promise<AttachedFile> {
  file.onFullySent();
  return postAttachment(item, file, chunks);
}

async function throughSession(
  item: AttachmentsApi,
  file: FileToAttach,
  options: Omit<UploadContextOptions, 'uploadUrl' | 'mailbox'>,
): Promise<AttachedFile> {
  const progress = new InMemoryProgress(item, file);
  await progress.open();
  const uploadContext = createUploadContext({ ...options, mailbox: item.mailbox, uploadUrl: () => progress.uploadUrl });
  const total = file.attachment.sizeBytes;
  try {
    const outcome = await uploadRange(
      uploadContext,
      { first: 0, last: total - 1, total },
      new ChunkBuffer(file.source),
      progress,
    );
    if (outcome.kind === 'attached') return { id: attachmentIdIn(outcome.location) };
    if (outcome.kind === 'refused') throw new GraphError(outcome.response);
    throw new ServiceError('GraphAnswerInvalid', 'Graph took the whole file and attached nothing.');
  } catch (error) {
    void endSession(uploadContext);
    throw error;
  }
}

/** The account of a transfer that lives and dies with its request. */
class InMemoryProgress implements TransferProgress {
  /** No other request goes on with it. */
  readonly uncertainOffsets = [];
  readonly #item: AttachmentsApi;
  readonly #file: FileToAttach;
  #session: UploadSession | undefined;
  #sessionsOpened = 0;

  constructor(item: AttachmentsApi, file: FileToAttach) {
    this.#item = item;
    this.#file = file;
  }

  get uploadUrl(): string {
    return this.#session?.uploadUrl ?? '';
  }

  /** @throws GraphError */
  async open(): Promise<void> {
    this.#session = await this.#item.openSession(this.#file.attachment);
    this.#sessionsOpened += 1;
  }

  async announce(toOffset: number): Promise<void> {
    if (toOffset === this.#file.attachment.sizeBytes) this.#file.onFullySent();
  }

  async confirm(): Promise<void> {}

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

import { ServiceError } from '../errors.ts';
import type { UpstreamAnswer } from '../graph/exchange.ts';
import { parseBody } from '../graph/relay.ts';
import { readUploadSession, type UploadSession } from '../graph/uploadSession.ts';
import { MAX_SESSIONS_OPENED, MAX_SINGLE_POST_BYTES, SESSION_FROM_BYTES } from '../limits.ts';
import type { ByteSource } from '../source/byteSource.ts';
import { createMemorySource } from '../source/memorySource.ts';
import type { UploadRecord } from '../upload/uploadRecord.ts';
import { addWhole } from './addWhole.ts';
import { ChunkReader } from './chunkReader.ts';
import { endSession } from './endSession.ts';
import { attachmentIdIn, findAttachment } from './findAttachment.ts';
import type { GraphAttachment, GraphItem } from './graphItem.ts';
import { createSending, type SendingOptions } from './sending.ts';
import { type Account, type Attached, sendRange } from './sendRange.ts';
import { UpstreamFailure } from './upstreamFailure.ts';

/** A file that one request attaches; Graph names it. */
export interface FileToAttach extends Pick<UploadRecord, 'target' | 'attachment' | 'createdAt'> {
  readonly source: ByteSource;
}

/** What Graph says of the attachment; undefined members where it could not be asked. */
export type AttachedFile =
  | { readonly kind: 'shown'; readonly attachment: GraphAttachment }
  | { readonly kind: 'located'; readonly id: string | undefined };

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
    const chunks = await readChunks(file.source, signal);
    try {
      return { kind: 'shown', attachment: await addWhole(item, file, createMemorySource(chunks), signal) };
    } catch (error) {
      if (!isRefusal(error, 413) || sizeBytes === 0) throw error;
      return await throughSession(item, { ...file, source: createMemorySource(chunks) }, options);
    }
  }
  try {
    return await throughSession(item, file, options);
  } catch (error) {
    // The session was refused before a byte of the source was read.
    if (!isBelowMinimum(error) || sizeBytes > MAX_SINGLE_POST_BYTES) throw error;
    return { kind: 'shown', attachment: await addWhole(item, file, file.source, signal) };
  }
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
      new ChunkReader(file.source),
      account,
    );
    if (outcome.kind === 'attached') return { kind: 'located', id: attachmentIdIn(outcome.location) };
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
    const answer = await this.#item.openSession(this.#file.attachment);
    this.#session = answer.status < 300 ? readUploadSession(parseBody(answer.body)) : undefined;
    if (this.#session === undefined) throw new UpstreamFailure(answer);
    this.#sessionsOpened += 1;
  }

  async intend(): Promise<void> {}

  async held(): Promise<void> {}

  async reopen(): Promise<boolean> {
    if (this.#sessionsOpened >= MAX_SESSIONS_OPENED) return false;
    await this.open();
    return true;
  }

  async findAttachment(): Promise<Attached | undefined> {
    const found = await findAttachment(this.#item, this.#file);
    return found && { kind: 'attached', location: this.#item.locationOf(found.id) };
  }
}

async function readChunks(source: ByteSource, signal: AbortSignal): Promise<readonly Buffer[]> {
  const chunks: Buffer[] = [];
  for (let chunk = await source.read(signal); chunk !== undefined; chunk = await source.read(signal))
    chunks.push(chunk);
  return chunks;
}

function isRefusal(error: unknown, status: UpstreamAnswer['status']): boolean {
  return error instanceof UpstreamFailure && error.answer.status === status;
}

/** learn.microsoft.com/graph/outlook-large-attachments, which names this error for files that are too small for a session. */
function isBelowMinimum(error: unknown): boolean {
  return (
    error instanceof UpstreamFailure && /ErrorAttachmentSizeShouldNotBeLessThanMinimumSize/.test(error.answer.body)
  );
}

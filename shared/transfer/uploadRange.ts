import { FIND_RETRY_MS, MAX_CHUNK_BYTES } from '../common/limits.ts';
import { ServiceError } from '../errors.ts';
import { unsettled } from '../graph/graphError.ts';
import type { GraphResponse } from '../graph/graphResponse.ts';
import type { ChunkBuffer } from './chunkBuffer.ts';
import { type ByteRange, lengthOf } from './contentRange.ts';
import { type ChunkOutcome, uploadChunk } from './uploadChunk.ts';
import type { UploadContext } from './uploadContext.ts';

/** The attachment that a file became. */
export interface Attached {
  readonly kind: 'attached';
  /** Graph's own. */
  readonly location: string;
}

export type RangeOutcome =
  /** Graph holds the file up to here, and it is not all of it. */
  | { readonly kind: 'held'; readonly offset: number }
  | Attached
  /** Graph will not take this file, or not in this session. */
  | { readonly kind: 'refused'; readonly response: GraphResponse };

/** What keeps account of a transfer while it goes on. */
export interface TransferProgress {
  /** Graph may hold the bytes up to one of these already: chunks whose answers were lost ended there. Ascending. */
  readonly uncertainOffsets: readonly number[];
  /** Called before Graph can have the bytes up to here: adds to `uncertainOffsets`. */
  announce(toOffset: number): Promise<void>;
  /**
   * Graph holds the bytes up to here, and may hold those up to one of `uncertainOffsets`.
   * @param isSaid Graph said so itself, in its response to these bytes
   */
  confirm(offset: number, uncertainOffsets: readonly number[], isSaid: boolean): Promise<void>;
  /** Opens a new session, of which Graph holds nothing; false where there were enough of them. */
  reopen(): Promise<boolean>;
  /** Looks whether the item has the attachment: the last chunk's answer was lost. */
  findAttachment(): Promise<Attached | undefined>;
}

/**
 * Sends a range of a file, which begins where Graph's bytes end, in chunks and in order. It reads one chunk ahead. Whatever is
 * lost on the way, Graph gets each byte once: no chunk reaches over an offset at which Graph's bytes may end, and if Graph
 * refuses bytes that it may have, it has them.
 *
 * @throws ServiceError of the source, of the account, or for a Graph that does not answer; UploadConflict of the account.
 *   The transfer can be taken up again after each of them.
 */
export async function uploadRange(
  uploadContext: UploadContext,
  range: ByteRange,
  buffer: ChunkBuffer,
  progress: TransferProgress,
): Promise<RangeOutcome> {
  for await (const { chunk, bytes } of readAhead(uploadContext, cut(range, progress.uncertainOffsets), buffer)) {
    const end = chunk.last + 1;
    const before = progress.uncertainOffsets;
    await progress.announce(end);
    uploadContext.logEntry.endStage('store');
    const sent = await settle(uploadContext, chunk, bytes, before, progress);
    if (sent.kind !== 'held') return sent;
    // After more than one attempt, an earlier one may still have bytes on their way out.
    if (sent.isSaid && sent.attempts === 1) buffer.release(bytes);
    await progress.confirm(end, sent.uncertainOffsets, sent.isSaid);
    uploadContext.logEntry.endStage('store');
  }
  return { kind: 'held', offset: range.last + 1 };
}

/** Chunks of which one ends at each offset where Graph's bytes may end. */
function cut({ first, last, total }: ByteRange, uncertainOffsets: readonly number[]): readonly ByteRange[] {
  const chunks: ByteRange[] = [];
  for (let from = first; from <= last; ) {
    const end = Math.min(from + MAX_CHUNK_BYTES, last + 1, uncertainOffsets.find((offset) => offset > from) ?? total);
    chunks.push({ first: from, last: end - 1, total });
    from = end;
  }
  return chunks;
}

interface ReadChunk {
  readonly chunk: ByteRange;
  readonly bytes: Buffer;
}

/** Gives each chunk once all of it is in memory. The next one is read while the consumer sends this one. */
async function* readAhead(
  { deadline, logEntry }: UploadContext,
  chunks: readonly ByteRange[],
  buffer: ChunkBuffer,
): AsyncGenerator<ReadChunk> {
  const stop = new AbortController();
  const signal = AbortSignal.any([deadline.signal, stop.signal]);
  const read = async (chunk: ByteRange): Promise<Buffer> => {
    const startedAt = performance.now();
    try {
      const bytes = await buffer.read(lengthOf(chunk), signal);
      if (chunk === chunks.at(-1)) await buffer.readEnd(signal);
      return bytes;
    } catch (error) {
      // Only if the time has passed does the source know better whose time it was.
      if (deadline.signal.aborted && !isTimeout(deadline.signal.reason)) throw deadline.signal.reason;
      throw error;
    } finally {
      logEntry.addTime('in', performance.now() - startedAt);
    }
  };
  let reading: Promise<Buffer> | undefined;
  try {
    for (const [n, chunk] of chunks.entries()) {
      const bytes = await (reading ?? read(chunk));
      logEntry.endStage('body');
      const next = chunks[n + 1];
      reading = next && read(next);
      reading?.catch(() => {}); // A failure of the source is thrown once the chunk before it is settled.
      yield { chunk, bytes };
    }
  } finally {
    stop.abort(); // Nobody reads the source any more once the range has ended.
    await reading?.catch(() => {});
  }
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof ServiceError && reason.code === 'TimedOut';
}

type SettledChunk =
  | {
      readonly kind: 'held';
      readonly uncertainOffsets: readonly number[];
      readonly isSaid: boolean;
      readonly attempts: number;
    }
  | Exclude<RangeOutcome, { readonly kind: 'held' }>;

/**
 * If Graph may have taken the chunk unseen, its refusal means that it did, and at the end of the file the item tells. A session
 * that Graph does not know at the first chunk is replaced, unless its file may be attached.
 *
 * @param before what Graph may have held before this chunk was announced
 */
async function settle(
  uploadContext: UploadContext,
  range: ByteRange,
  bytes: Buffer,
  before: readonly number[],
  progress: TransferProgress,
): Promise<SettledChunk> {
  const end = range.last + 1;
  let uncertainOffsets = before;
  for (;;) {
    const { outcome, isAmbiguous, attempts } = await uploadChunk(uploadContext, range, bytes);
    if (outcome.kind === 'attached') return outcome;
    if (outcome.kind === 'taken') return { kind: 'held', uncertainOffsets: [], isSaid: true, attempts };
    if (outcome.kind === 'unsettled') throw unsettled(outcome.last);
    if (isAmbiguous && uncertainOffsets[0] !== end) uncertainOffsets = [end, ...uncertainOffsets];
    const mayBeAttached = uncertainOffsets.includes(range.total);
    const attached = mayBeAttached ? await findWithRetry(uploadContext, progress) : undefined;
    if (attached !== undefined) return attached;
    if (outcome.kind === 'overlap' && uncertainOffsets.length > 0 && end < range.total) {
      return {
        kind: 'held',
        uncertainOffsets: uncertainOffsets.filter((offset) => offset > end),
        isSaid: false,
        attempts,
      };
    }
    if (outcome.kind !== 'noSession' || range.first > 0 || mayBeAttached) return refused(outcome);
    if (!(await progress.reopen())) return refused(outcome);
    await progress.announce(end);
    uncertainOffsets = [];
  }
}

/** What was attached a moment ago may not be shown at once. */
async function findWithRetry(uploadContext: UploadContext, progress: TransferProgress): Promise<Attached | undefined> {
  const attached = await progress.findAttachment();
  if (attached !== undefined || uploadContext.retryRemainingMs() < 2 * FIND_RETRY_MS) return attached;
  await uploadContext.pause(FIND_RETRY_MS);
  return progress.findAttachment();
}

function refused(outcome: Extract<ChunkOutcome, { kind: 'overlap' | 'noSession' | 'refused' }>): SettledChunk {
  return { kind: 'refused', response: outcome.kind === 'overlap' ? OUT_OF_STEP : outcome.response };
}

/** Graph does not hold what it had said it holds; only a new session can help. */
const OUT_OF_STEP: GraphResponse = {
  status: 416,
  headers: {},
  body: JSON.stringify({ error: { code: 'invalidRange', message: 'Graph holds other bytes than it had confirmed.' } }),
};

import { ServiceError } from '../errors.ts';
import type { UpstreamAnswer } from '../graph/exchange.ts';
import { LOOK_AGAIN_MS, MAX_PIECE_BYTES } from '../limits.ts';
import { type ByteRange, lengthOf } from '../upload/byteRange.ts';
import type { ChunkBuffer } from './chunkBuffer.ts';
import type { Sending } from './sending.ts';
import { type PieceOutcome, sendPiece } from './sendPiece.ts';
import { unsettled } from './upstreamFailure.ts';

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
  | { readonly kind: 'refused'; readonly answer: UpstreamAnswer };

/** What keeps account of a transfer while it goes on. */
export interface Account {
  /** Graph may hold the bytes up to one of these already: pieces whose answers were lost ended there. Ascending. */
  readonly mayHold: readonly number[];
  /** Called before Graph can have the bytes up to here: adds to `mayHold`. */
  intend(toOffset: number): Promise<void>;
  /**
   * Graph holds the bytes up to here, and may hold those up to one of `mayHold`.
   * @param isSaid Graph said so itself, in its response to these bytes
   */
  held(offset: number, mayHold: readonly number[], isSaid: boolean): Promise<void>;
  /** Opens a new session, of which Graph holds nothing; false where there were enough of them. */
  reopen(): Promise<boolean>;
  /** Looks whether the item has the attachment: the last piece's answer was lost. */
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
export async function sendRange(
  sending: Sending,
  range: ByteRange,
  buffer: ChunkBuffer,
  account: Account,
): Promise<RangeOutcome> {
  for await (const { piece, bytes } of readAhead(sending, cut(range, account.mayHold), buffer)) {
    const end = piece.last + 1;
    const before = account.mayHold;
    await account.intend(end);
    sending.record.endStage('store');
    const sent = await settle(sending, piece, bytes, before, account);
    if (sent.kind !== 'held') return sent;
    // After more than one attempt, an earlier one may still have bytes on their way out.
    if (sent.isSaid && sent.attempts === 1) buffer.release(bytes);
    await account.held(end, sent.mayHold, sent.isSaid);
    sending.record.endStage('store');
  }
  return { kind: 'held', offset: range.last + 1 };
}

/** Chunks of which one ends at each offset where Graph's bytes may end. */
function cut({ first, last, total }: ByteRange, mayHold: readonly number[]): readonly ByteRange[] {
  const pieces: ByteRange[] = [];
  for (let from = first; from <= last; ) {
    const end = Math.min(from + MAX_PIECE_BYTES, last + 1, mayHold.find((offset) => offset > from) ?? total);
    pieces.push({ first: from, last: end - 1, total });
    from = end;
  }
  return pieces;
}

interface ReadPiece {
  readonly piece: ByteRange;
  readonly bytes: Buffer;
}

/** Gives each chunk once all of it is in memory. The next one is read while the consumer sends this one. */
async function* readAhead(
  { deadline, record }: Sending,
  pieces: readonly ByteRange[],
  buffer: ChunkBuffer,
): AsyncGenerator<ReadPiece> {
  const stop = new AbortController();
  const signal = AbortSignal.any([deadline.signal, stop.signal]);
  const read = async (piece: ByteRange): Promise<Buffer> => {
    const startedAt = performance.now();
    try {
      const bytes = await buffer.read(lengthOf(piece), signal);
      if (piece === pieces.at(-1)) await buffer.readEnd(signal);
      return bytes;
    } catch (error) {
      // Only if the time has passed does the source know better whose time it was.
      if (deadline.signal.aborted && !isTimeout(deadline.signal.reason)) throw deadline.signal.reason;
      throw error;
    } finally {
      record.addTime('in', performance.now() - startedAt);
    }
  };
  let reading: Promise<Buffer> | undefined;
  try {
    for (const [n, piece] of pieces.entries()) {
      const bytes = await (reading ?? read(piece));
      record.endStage('body');
      const next = pieces[n + 1];
      reading = next && read(next);
      reading?.catch(() => {}); // A failure of the source is thrown once the chunk before it is settled.
      yield { piece, bytes };
    }
  } finally {
    stop.abort(); // Nobody reads the source any more once the range has ended.
    await reading?.catch(() => {});
  }
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof ServiceError && reason.code === 'TimedOut';
}

type SettledPiece =
  | {
      readonly kind: 'held';
      readonly mayHold: readonly number[];
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
  sending: Sending,
  range: ByteRange,
  bytes: Buffer,
  before: readonly number[],
  account: Account,
): Promise<SettledPiece> {
  const end = range.last + 1;
  let mayHold = before;
  for (;;) {
    const { outcome, isAmbiguous, attempts } = await sendPiece(sending, range, bytes);
    if (outcome.kind === 'attached') return outcome;
    if (outcome.kind === 'taken') return { kind: 'held', mayHold: [], isSaid: true, attempts };
    if (outcome.kind === 'unsettled') throw unsettled(outcome.last);
    if (isAmbiguous && mayHold[0] !== end) mayHold = [end, ...mayHold];
    const mayBeAttached = mayHold.includes(range.total);
    const attached = mayBeAttached ? await lookTwice(sending, account) : undefined;
    if (attached !== undefined) return attached;
    if (outcome.kind === 'overlap' && mayHold.length > 0 && end < range.total) {
      return { kind: 'held', mayHold: mayHold.filter((offset) => offset > end), isSaid: false, attempts };
    }
    if (outcome.kind !== 'noSession' || range.first > 0 || mayBeAttached) return refused(outcome);
    if (!(await account.reopen())) return refused(outcome);
    await account.intend(end);
    mayHold = [];
  }
}

/** What was attached a moment ago may not be shown at once. */
async function lookTwice(sending: Sending, account: Account): Promise<Attached | undefined> {
  const attached = await account.findAttachment();
  if (attached !== undefined || sending.retryRemainingMs() < 2 * LOOK_AGAIN_MS) return attached;
  await sending.pause(LOOK_AGAIN_MS);
  return account.findAttachment();
}

function refused(outcome: Extract<PieceOutcome, { kind: 'overlap' | 'noSession' | 'refused' }>): SettledPiece {
  return { kind: 'refused', answer: outcome.kind === 'overlap' ? OUT_OF_STEP : outcome.answer };
}

/** Graph does not hold what it had said it holds; only a new session can help. */
const OUT_OF_STEP: UpstreamAnswer = {
  status: 416,
  headers: {},
  body: JSON.stringify({ error: { code: 'invalidRange', message: 'Graph holds other bytes than it had confirmed.' } }),
};

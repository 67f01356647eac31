import { ServiceError } from '../errors.ts';
import type { UpstreamAnswer } from '../graph/exchange.ts';
import { LOOK_AGAIN_MS, MAX_PIECE_BYTES } from '../limits.ts';
import { type ByteRange, lengthOf } from '../upload/byteRange.ts';
import type { ChunkReader } from './chunkReader.ts';
import { PieceBuffer } from './pieceBuffer.ts';
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
 * Sends a run of a file's bytes, which begins where Graph's hold ends, in pieces and in order. Whatever is lost on the way,
 * Graph gets each byte once: no piece reaches over a place where Graph's hold may end, and Graph's refusal of bytes that it may
 * hold says that it does.
 *
 * @throws ServiceError of the source, of the account, or for a Graph that does not answer; UploadConflict of the account.
 *   The transfer can be taken up again after each of them.
 */
export async function sendRange(
  sending: Sending,
  { first, last, total }: ByteRange,
  reader: ChunkReader,
  account: Account,
): Promise<RangeOutcome> {
  let offset = first;
  while (offset <= last) {
    const end = Math.min(offset + MAX_PIECE_BYTES, last + 1, account.mayHold[0] ?? total);
    const sent = await fillAndSend(sending, { first: offset, last: end - 1, total }, end > last, reader, account);
    if (sent.kind !== 'held') return sent;
    await account.held(end, sent.mayHold, sent.isSaid);
    offset = end;
  }
  return { kind: 'held', offset };
}

type SettledPiece =
  | { readonly kind: 'held'; readonly mayHold: readonly number[]; readonly isSaid: boolean }
  | Exclude<RangeOutcome, { readonly kind: 'held' }>;

/** One piece, whose bytes go on while they come in. */
async function fillAndSend(
  sending: Sending,
  range: ByteRange,
  isEnd: boolean,
  reader: ChunkReader,
  account: Account,
): Promise<SettledPiece> {
  const piece = new PieceBuffer(lengthOf(range));
  const stop = new AbortController();
  const signal = AbortSignal.any([sending.deadline.signal, stop.signal]);
  const before = account.mayHold;
  const filling = fill(piece, reader, isEnd, signal, sending);
  const work = [filling, account.intend(range.last + 1)];
  const isReady = Promise.all(work).then(
    () => piece.release(),
    (error: unknown) => stop.abort(error),
  );
  try {
    return await settle(sending, range, piece, before, account, signal, isReady);
  } catch (error) {
    const isLate = error instanceof ServiceError && error.code === 'TimedOut' && piece.missingBytes > 0;
    throw isLate ? await filling.catch((late: unknown) => late) : error; // The source was waited for, and says so.
  } finally {
    stop.abort(); // Nothing of this piece goes on behind its outcome.
    await Promise.allSettled(work);
  }
}

/**
 * Where a piece may have been taken unseen, Graph's refusal means that it was, and at the end of the file the item says so. A
 * session that Graph does not know at the first piece is replaced, unless its file may be attached.
 */
async function settle(
  sending: Sending,
  range: ByteRange,
  piece: PieceBuffer,
  before: readonly number[],
  account: Account,
  signal: AbortSignal,
  isReady: Promise<void>,
): Promise<SettledPiece> {
  const end = range.last + 1;
  let mayHold = before;
  for (;;) {
    const { outcome, isAmbiguous } = await sendPiece(sending, range, piece, signal);
    if (outcome.kind === 'attached' || outcome.kind === 'taken') piece.free();
    if (outcome.kind === 'attached') return outcome;
    if (outcome.kind === 'taken') return { kind: 'held', mayHold: [], isSaid: true };
    if (outcome.kind === 'unsettled') throw unsettled(outcome.last);
    if (isAmbiguous && mayHold[0] !== end) mayHold = [end, ...mayHold];
    const mayBeAttached = mayHold.includes(range.total);
    const attached = mayBeAttached ? await lookTwice(sending, account) : undefined;
    if (attached !== undefined) return attached;
    if (outcome.kind === 'overlap' && mayHold.length > 0 && end < range.total) {
      return { kind: 'held', mayHold: mayHold.filter((offset) => offset > end), isSaid: false };
    }
    if (outcome.kind !== 'noSession' || range.first > 0 || mayBeAttached) return refused(outcome);
    await isReady; // A caller that sends other bytes than it said must not cost a session.
    signal.throwIfAborted();
    if (!(await account.reopen())) return refused(outcome);
    await account.intend(end);
    mayHold = [];
  }
}

async function fill(
  piece: PieceBuffer,
  reader: ChunkReader,
  isEnd: boolean,
  signal: AbortSignal,
  { record }: Sending,
): Promise<void> {
  const startedAt = performance.now();
  try {
    while (piece.missingBytes > 0) {
      const chunk = await reader.take(piece.missingBytes, signal);
      if (chunk === undefined) throw new TypeError('The source ended before its length.');
      piece.push(chunk);
    }
    if (isEnd) await reader.take(1, signal); // The source finds out here whether it has more than it said.
  } finally {
    record.addTime('in', performance.now() - startedAt);
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

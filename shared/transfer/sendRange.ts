import { ServiceError } from '../errors.ts';
import type { AttemptResult, UpstreamAnswer } from '../graph/exchange.ts';
import { MAX_PIECE_BYTES } from '../limits.ts';
import type { ByteRange } from '../upload/byteRange.ts';
import type { ChunkReader } from './chunkReader.ts';
import { PieceBuffer } from './pieceBuffer.ts';
import type { Sending } from './sending.ts';
import { type PieceOutcome, sendPiece } from './sendPiece.ts';
import { UpstreamFailure } from './upstreamFailure.ts';

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
  /** Bytes up to here may be with Graph already: a piece that ends there was under way when its sender was lost. */
  readonly sentTo: number;
  /** Called before Graph can have the bytes up to here. */
  intend(toOffset: number): Promise<void>;
  /** Graph holds the bytes up to here. */
  held(offset: number): Promise<void>;
  /** Opens a new session for a file of which Graph holds nothing; false where there were enough of them. */
  reopen(): Promise<boolean>;
  /** Looks whether the item has the attachment: the last piece's answer was lost. */
  findAttachment(): Promise<Attached | undefined>;
}

/**
 * Sends a run of a file's bytes, which begins where Graph's hold ends, in pieces and in order. Whatever is lost on the way,
 * Graph gets each byte once: what it may have already is sent in the same cut as before, and its refusal says that it does.
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
  const { signal } = sending.deadline;
  let offset = first;
  while (offset <= last) {
    const mayBeHeld = account.sentTo > offset;
    const pieceLast = Math.min(offset + MAX_PIECE_BYTES - 1, last, mayBeHeld ? account.sentTo - 1 : last);
    const range = { first: offset, last: pieceLast, total };
    const { outcome, isDoubtful } = await fillAndSend(sending, range, pieceLast === last, mayBeHeld, reader, account);
    if (outcome.kind === 'attached') return { kind: 'attached', location: outcome.location };
    if (outcome.kind === 'taken' || (outcome.kind === 'overlap' && isDoubtful)) {
      offset = outcome.kind === 'taken' ? pieceLast + 1 : Math.max(pieceLast + 1, account.sentTo);
      await reader.skip(offset - pieceLast - 1, signal);
      await account.held(offset);
      continue;
    }
    if (outcome.kind === 'unsettled') throw unsettled(outcome.last);
    return { kind: 'refused', answer: outcome.kind === 'overlap' ? OUT_OF_STEP : outcome.answer };
  }
  return { kind: 'held', offset };
}

/** Graph does not hold what it had said it holds; only a new session can help. */
const OUT_OF_STEP: UpstreamAnswer = {
  status: 416,
  headers: {},
  body: JSON.stringify({ error: { code: 'invalidRange', message: 'Graph holds other bytes than it had confirmed.' } }),
};

interface SettledPiece {
  readonly outcome: PieceOutcome;
  /** Graph may have had the piece before this outcome came. */
  readonly isDoubtful: boolean;
}

/**
 * One piece: its bytes go on while they come in. A session that Graph does not know at the first of them is replaced, and
 * where the last one may have been taken unseen, the item says whether it was.
 */
async function fillAndSend(
  sending: Sending,
  range: ByteRange,
  isEnd: boolean,
  mayBeHeld: boolean,
  reader: ChunkReader,
  account: Account,
): Promise<SettledPiece> {
  const piece = new PieceBuffer(range.last - range.first + 1);
  const stop = new AbortController();
  const signal = AbortSignal.any([sending.deadline.signal, stop.signal]);
  const isReady = Promise.all([
    fill(piece, reader, isEnd, sending.deadline.signal),
    account.intend(range.last + 1),
  ]).then(
    () => piece.release(),
    (error: unknown) => stop.abort(error),
  );
  let wasHeld = mayBeHeld;
  for (;;) {
    const { outcome, isAmbiguous } = await sendPiece(sending, range, piece, signal);
    const isDoubtful = isAmbiguous || wasHeld;
    if (outcome.kind === 'attached' || outcome.kind === 'taken') return { outcome, isDoubtful };
    if (isDoubtful && range.last + 1 === range.total) {
      const attached = await account.findAttachment();
      if (attached !== undefined) return { outcome: attached, isDoubtful };
    }
    if (outcome.kind !== 'noSession' || range.first > 0) return { outcome, isDoubtful };
    await isReady; // A caller that sends other bytes than it said must not cost a session.
    signal.throwIfAborted();
    if (!(await account.reopen())) return { outcome, isDoubtful };
    wasHeld = false;
  }
}

async function fill(piece: PieceBuffer, reader: ChunkReader, isEnd: boolean, signal: AbortSignal): Promise<void> {
  try {
    while (piece.missingBytes > 0) {
      const chunk = await reader.take(piece.missingBytes, signal);
      if (chunk === undefined) throw new TypeError('The source ended before its length.');
      piece.push(chunk);
    }
    if (isEnd) await reader.take(1, signal); // The source finds out here whether it has more than it said.
  } catch (error) {
    const isTimeout = error instanceof ServiceError && error.code === 'TimedOut';
    throw isTimeout ? new ServiceError('RequestBodyTimeout', 'The bytes did not arrive in time.') : error;
  }
}

function unsettled(last: AttemptResult): ServiceError | UpstreamFailure {
  if (last.kind === 'answer') return new UpstreamFailure(last.answer);
  return new ServiceError('GraphUnreachable', 'The connection to Graph failed.', { cause: last.cause });
}

import { ServiceError } from '../errors.ts';
import type { AttemptResult, UpstreamAnswer } from '../graph/exchange.ts';
import { parseBody } from '../graph/relay.ts';
import { readExpectedOffset } from '../graph/uploadSession.ts';
import { EAGER_START_BYTES, EAGER_START_MS, MAX_EAGER_ATTEMPT_MS, PIECE_ANSWER_TIMEOUT_MS } from '../limits.ts';
import type { ByteRange } from '../upload/byteRange.ts';
import { inPlace, untilSettled } from './attempts.ts';
import type { PieceBuffer } from './pieceBuffer.ts';
import type { Sending } from './sending.ts';

/** What came of one piece after all its attempts. */
export type PieceOutcome =
  | { readonly kind: 'taken' }
  /** The last piece: the attachment is there. */
  | { readonly kind: 'attached'; readonly location: string }
  /** Graph has bytes of this range already. */
  | { readonly kind: 'overlap' }
  /** Graph knows no such session, or no longer. */
  | { readonly kind: 'noSession'; readonly answer: UpstreamAnswer }
  | { readonly kind: 'refused'; readonly answer: UpstreamAnswer }
  /** No attempt brought an answer that settles it. */
  | { readonly kind: 'unsettled'; readonly last: AttemptResult };

export interface SentPiece {
  readonly outcome: PieceOutcome;
  /** Graph may have taken the piece in an attempt whose answer was lost, before the outcome came. */
  readonly isAmbiguous: boolean;
}

/**
 * Sends one piece until Graph has answered for it: 412, 423, 429, 5xx, a connection that failed and one without an answer are
 * tried again while the wait fits. Repeating is safe: a session takes each byte once.
 */
export async function sendPiece(
  sending: Sending,
  range: ByteRange,
  piece: PieceBuffer,
  signal: AbortSignal,
): Promise<SentPiece> {
  let isAmbiguous = false;
  let untilReady = () => untilWorthAPlace(piece, signal);
  const last = await untilSettled(
    sending,
    signal,
    async (token) => {
      await untilReady();
      untilReady = () => piece.untilFilled(piece.lengthBytes, signal);
      sending.record.endStage('body');
      const result = await attempt(sending, range, piece, signal, token);
      isAmbiguous ||= piece.isReleased && isLost(result, range);
      return result;
    },
    (answer) => outcomeOf(answer, range) !== undefined,
  );
  const outcome = last.kind === 'answer' ? outcomeOf(last.answer, range) : undefined;
  return { outcome: outcome ?? { kind: 'unsettled', last }, isAmbiguous };
}

/** A slow caller must not hold one of the mailbox's few places: its piece goes up once it is whole, a fast one's as it comes in. */
async function untilWorthAPlace(piece: PieceBuffer, signal: AbortSignal): Promise<void> {
  const startedAt = performance.now();
  await piece.untilFilled(Math.min(EAGER_START_BYTES, piece.lengthBytes), signal);
  if (performance.now() - startedAt > EAGER_START_MS) await piece.untilFilled(piece.lengthBytes, signal);
}

/**
 * One attempt. It is given up when nothing has moved for a while, Graph's answer included, and where the caller's bytes no
 * longer come fast.
 */
async function attempt(
  sending: Sending,
  range: ByteRange,
  piece: PieceBuffer,
  signal: AbortSignal,
  token: string | undefined,
): Promise<AttemptResult> {
  const { host, deadline } = sending;
  const givenUp = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const stream = piece.stream(() => timers[0]?.refresh());
  try {
    return await inPlace(sending, signal, () => {
      const timeoutMs = Math.min(PIECE_ANSWER_TIMEOUT_MS, deadline.remainingMs() / 2);
      timers.push(
        setTimeout(() => givenUp.abort(new ServiceError('TimedOut', 'Graph did not answer in time.')), timeoutMs),
        setTimeout(() => {
          if (piece.missingBytes > 0) givenUp.abort(new Error('The bytes of the piece no longer come fast.'));
        }, MAX_EAGER_ATTEMPT_MS),
      );
      return host.put(sending.address(), range, stream, AbortSignal.any([signal, givenUp.signal]), token);
    });
  } finally {
    for (const timer of timers) clearTimeout(timer);
    stream.destroy();
  }
}

/** Undefined for an answer that settles nothing. */
function outcomeOf(answer: UpstreamAnswer, { last, total }: ByteRange): PieceOutcome | undefined {
  const { status, headers, body } = answer;
  const location = headers['location'];
  if (status === 201 && location !== undefined) return { kind: 'attached', location };
  const expected = readExpectedOffset(parseBody(body));
  if (status === 200 && expected === last + 1 && expected < total) return { kind: 'taken' };
  if (status === 416)
    return expected === undefined || expected > last ? { kind: 'overlap' } : { kind: 'refused', answer };
  if (status === 404 || status === 410) return { kind: 'noSession', answer };
  return isPassing(status) ? undefined : { kind: 'refused', answer };
}

/**
 * Successes that say nothing of the piece are of something in between. 412 and 423: two writers at one item, another upload as
 * an example (msgraph-sdk-dotnet, issue 1287).
 */
function isPassing(status: number): boolean {
  return status < 400 || status === 412 || status === 423 || status === 429 || status >= 500;
}

/** Whether Graph may have taken the piece, for all that this says. */
function isLost(result: AttemptResult, range: ByteRange): boolean {
  if (result.kind === 'failed') return true;
  const { status } = result.answer;
  return (status < 400 || status >= 500) && outcomeOf(result.answer, range) === undefined;
}

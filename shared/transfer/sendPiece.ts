import type { AttemptResult, UpstreamAnswer } from '../graph/exchange.ts';
import { isRetryableStatus, retryDelayMs } from '../graph/retryDelay.ts';
import { PIECE_ANSWER_TIMEOUT_MS, RETRY_MIN_ATTEMPT_MS } from '../limits.ts';
import type { ByteRange } from '../upload/byteRange.ts';
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
  /** An attempt ended without an answer: Graph may have had the piece before the outcome came. */
  readonly isAmbiguous: boolean;
}

/**
 * Sends one piece until Graph has answered for it: 429, 5xx, a connection that failed and one without an answer are tried
 * again while the wait fits. Repeating is safe: a session takes each byte once.
 */
export async function sendPiece(
  sending: Sending,
  range: ByteRange,
  piece: PieceBuffer,
  signal: AbortSignal,
): Promise<SentPiece> {
  const { record } = sending;
  let isAmbiguous = false;
  let isTokenRenewed = false;
  for (let attempts = 1; ; attempts += 1) {
    const token = await sending.token();
    const result = await attempt(sending, range, piece, signal, token);
    signal.throwIfAborted();
    if (result.kind === 'answer' && result.answer.status === 401 && token !== undefined && !isTokenRenewed) {
      isTokenRenewed = true;
      sending.dropToken(token);
      continue;
    }
    const outcome = outcomeOf(result, range);
    if (outcome.kind !== 'unsettled') return { outcome, isAmbiguous };
    isAmbiguous ||= result.kind === 'failed' || result.answer.status >= 500;
    const retryAfter = result.kind === 'answer' ? result.answer.headers['retry-after'] : undefined;
    const delayMs = retryDelayMs(retryAfter, attempts, Date.now(), Math.random());
    if (delayMs + RETRY_MIN_ATTEMPT_MS > sending.retryRemainingMs()) return { outcome, isAmbiguous };
    await sending.pause(delayMs);
    record.endStage('wait');
  }
}

/** One attempt, inside the mailbox's places. It is given up when no answer comes for a while after the last byte. */
async function attempt(
  { host, address, queue, mailbox, deadline, record }: Sending,
  range: ByteRange,
  piece: PieceBuffer,
  signal: AbortSignal,
  token: string | undefined,
): Promise<AttemptResult> {
  const leave = await queue.enter(mailbox, signal);
  record.endStage('queue');
  const givenUp = new AbortController();
  const stream = piece.stream();
  let timer: NodeJS.Timeout | undefined;
  stream.once('end', () => {
    const timeoutMs = Math.min(PIECE_ANSWER_TIMEOUT_MS, deadline.remainingMs() / 2);
    timer = setTimeout(() => givenUp.abort(new Error('Graph did not answer in time.')), timeoutMs);
  });
  let result: AttemptResult;
  try {
    const dispatched = await host.put(address(), range, stream, AbortSignal.any([signal, givenUp.signal]), token);
    void dispatched.released.then(leave);
    result = await dispatched.result;
  } catch (error) {
    leave();
    throw error;
  } finally {
    clearTimeout(timer);
    stream.destroy();
  }
  const answer = result.kind === 'answer' ? result.answer : undefined;
  record.addAttempt(answer?.status ?? 0, answer?.headers['request-id']);
  record.endStage('graph');
  return result;
}

function outcomeOf(result: AttemptResult, { last, total }: ByteRange): PieceOutcome {
  if (result.kind === 'failed') return { kind: 'unsettled', last: result };
  const { answer } = result;
  const { status, headers } = answer;
  const location = headers['location'];
  if (status === 201 && location !== undefined) return { kind: 'attached', location };
  if (status === 200 && last + 1 < total) return { kind: 'taken' };
  if (status === 416) return { kind: 'overlap' };
  if (status === 404 || status === 410) return { kind: 'noSession', answer };
  if (isRetryableStatus(status) || status >= 500 || status < 400) return { kind: 'unsettled', last: result };
  return { kind: 'refused', answer };
}

import type { Dispatched } from '../graph/dispatch.ts';
import type { AttemptResult, UpstreamAnswer } from '../graph/exchange.ts';
import { retryDelayMs } from '../graph/retryDelay.ts';
import { RETRY_MIN_ATTEMPT_MS } from '../limits.ts';
import type { Sending } from './sending.ts';

/**
 * Tries one request to an uploadUrl until Graph has given an answer that settles it, while the waits fit; else the last result
 * is given back. A token that is refused is renewed once.
 */
export async function untilSettled(
  sending: Sending,
  signal: AbortSignal,
  send: (token: string | undefined) => Promise<AttemptResult>,
  isSettled: (answer: UpstreamAnswer) => boolean,
): Promise<AttemptResult> {
  let isTokenRenewed = false;
  for (let attempts = 1; ; attempts += 1) {
    const token = await sending.token();
    const result = await send(token);
    signal.throwIfAborted();
    const answer = result.kind === 'answer' ? result.answer : undefined;
    if (answer?.status === 401 && token !== undefined) {
      sending.dropToken(token, answer);
      if (!isTokenRenewed) {
        isTokenRenewed = true;
        continue;
      }
    }
    if (answer !== undefined && isSettled(answer)) return result;
    const delayMs = retryDelayMs(answer?.headers['retry-after'], attempts, Date.now(), Math.random());
    if (delayMs + RETRY_MIN_ATTEMPT_MS > sending.retryRemainingMs()) return result;
    await sending.pause(delayMs);
    sending.record.endStage('wait');
  }
}

/** One attempt, inside the mailbox's places. */
export async function inPlace(
  { queue, mailbox, record }: Sending,
  signal: AbortSignal,
  start: () => Promise<Dispatched>,
): Promise<AttemptResult> {
  const leave = await queue.enter(mailbox, signal);
  record.endStage('queue');
  try {
    const { result, released } = await start();
    void released.then(leave);
    const settled = await result;
    const answer = settled.kind === 'answer' ? settled.answer : undefined;
    record.addAttempt(answer?.status ?? 0, answer?.headers['request-id']);
    record.endStage('graph');
    return settled;
  } catch (error) {
    leave();
    throw error;
  }
}

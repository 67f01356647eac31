import { setTimeout as sleep } from 'node:timers/promises';
import type { Deadline } from '../deadline.ts';
import { challengeIn } from '../graph/challengeIn.ts';
import type { Dispatched } from '../graph/dispatch.ts';
import type { AttemptResult, UpstreamAnswer } from '../graph/exchange.ts';
import type { MailboxQueue } from '../graph/mailboxQueue.ts';
import { retryDelayMs } from '../graph/retryDelay.ts';
import type { TokenSource } from '../graph/tokenSource.ts';
import { RETRY_MIN_ATTEMPT_MS, SESSION_END_TIMEOUT_MS } from '../limits.ts';
import type { RequestRecord } from '../log/requestRecord.ts';
import { readUploadAddress, type UploadAddress, type UploadHost } from './uploadHost.ts';
import { unsettled } from './upstreamFailure.ts';

/** What sending the pieces of one file needs. */
export interface Sending {
  readonly host: UploadHost;
  /** Of the session that is open now: one that Graph does not know is replaced. @throws ServiceError UploadHostNotAllowed */
  address(): UploadAddress;
  readonly queue: MailboxQueue;
  /** Whose place in the queue each piece takes. */
  readonly mailbox: string;
  readonly deadline: Deadline;
  readonly record: RequestRecord;
  /** Undefined for Outlook's upload host, which must not see one. */
  token(): Promise<string | undefined>;
  /** @throws ServiceError InteractionRequired where Graph's challenge is the user's to meet */
  dropToken(token: string, refusal: UpstreamAnswer): void;
  /** How long the next attempt may still be put off. */
  retryRemainingMs(): number;
  /** @throws the deadline's reason */
  pause(delayMs: number): Promise<void>;
}

export interface SendingOptions extends Pick<Sending, 'host' | 'queue' | 'mailbox' | 'deadline' | 'record'> {
  readonly hosts: readonly string[];
  readonly uploadUrl: () => string;
  readonly tokens: TokenSource | undefined;
  /** Attempts begin no later than this after now. */
  readonly retryTimeoutMs: number;
}

export function createSending({ hosts, uploadUrl, tokens, retryTimeoutMs, ...shared }: SendingOptions): Sending {
  const { deadline, record } = shared;
  const retryUntil = performance.now() + retryTimeoutMs;
  return {
    ...shared,
    address: () => readUploadAddress(uploadUrl(), hosts),
    async token() {
      if (tokens === undefined) return undefined;
      try {
        return await tokens.acquire(deadline);
      } finally {
        record.endStage('token');
      }
    },
    dropToken: (token, refusal) => tokens?.drop(token, challengeIn(refusal)),
    retryRemainingMs: () => Math.min(deadline.remainingMs(), retryUntil - performance.now()),
    async pause(delayMs) {
      try {
        await sleep(delayMs, undefined, { signal: deadline.signal });
      } catch {
        throw deadline.signal.reason;
      }
    },
  };
}

/**
 * Sends one request to an uploadUrl until Graph's response settles it, while the waits fit. Otherwise it gives back the last
 * result. A token that Graph refuses is renewed once.
 */
export async function untilSettled(
  sending: Sending,
  send: (token: string | undefined) => Promise<AttemptResult>,
  isSettled: (answer: UpstreamAnswer) => boolean,
): Promise<AttemptResult> {
  let isTokenRenewed = false;
  for (let attempts = 1; ; attempts += 1) {
    const token = await sending.token();
    const result = await send(token);
    sending.deadline.signal.throwIfAborted();
    const answer = result.kind === 'answer' ? result.answer : undefined;
    if (answer?.status === 401 && token !== undefined) {
      sending.dropToken(token, answer);
      if (!isTokenRenewed) {
        isTokenRenewed = true;
        continue;
      }
    }
    if (answer !== undefined && isSettled(answer)) return result;
    const delayMs = backOffMs(answer?.headers['retry-after'], attempts, Date.now(), Math.random());
    if (delayMs + RETRY_MIN_ATTEMPT_MS > sending.retryRemainingMs()) return result;
    await sending.pause(delayMs);
    sending.record.endStage('wait');
  }
}

/** As retryDelayMs, but a chunk of megabytes is not sent again at once because `Retry-After` is short or 0. */
export function backOffMs(retryAfter: string | undefined, failures: number, now: number, random: number): number {
  const ownMs = retryDelayMs(undefined, failures, now, random);
  return Math.max(ownMs, retryDelayMs(retryAfter, failures, now, random));
}

/** One attempt, which takes one of the mailbox's places. */
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

export type SessionEnd =
  /** By this request: no file is attached through it any more. */
  | { readonly kind: 'ended' }
  /** There was none: it has expired, or its file is attached. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'unknown'; readonly failure: unknown };

/**
 * Ends a session at Graph and discards its bytes. It makes one attempt within its own timeout, whatever became of the request: a
 * session that is left expires. Never fails.
 */
export async function endSession(sending: Sending): Promise<SessionEnd> {
  try {
    const signal = AbortSignal.timeout(SESSION_END_TIMEOUT_MS);
    const token = await sending.token();
    const result = await inPlace(sending, signal, () => sending.host.remove(sending.address(), signal, token));
    const status = result.kind === 'answer' ? result.answer.status : 0;
    if (status === 204) return { kind: 'ended' };
    return status === 404 || status === 410 ? { kind: 'gone' } : { kind: 'unknown', failure: unsettled(result) };
  } catch (failure) {
    return { kind: 'unknown', failure };
  }
}

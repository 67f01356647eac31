import { setTimeout as sleep } from 'node:timers/promises';
import type { ConcurrencyLimiter } from '../common/concurrencyLimiter.ts';
import type { Deadline } from '../common/deadline.ts';
import { RETRY_MIN_ATTEMPT_MS, SESSION_END_TIMEOUT_MS } from '../common/limits.ts';
import { unsettled } from '../graph/graphError.ts';
import { type AttemptResult, challengeIn, type GraphResponse } from '../graph/graphResponse.ts';
import type { HttpRequest } from '../graph/httpRequest.ts';
import { retryDelayMs } from '../graph/retryDelay.ts';
import type { LogEntry } from '../logging/logEntry.ts';
import type { ItemKind } from '../paths/entityModel.ts';
import type { TokenSource } from '../tokens/tokenSource.ts';
import { parseUploadUrl, type UploadClient, type UploadUrl } from './uploadClient.ts';

/** What sending the chunks of one file needs. */
export interface UploadContext {
  readonly client: UploadClient;
  /** Of the session that is open now: one that Graph does not know is replaced. @throws ServiceError UploadHostNotAllowed */
  uploadUrl(): UploadUrl;
  readonly concurrencyLimiter: ConcurrencyLimiter;
  /** Whose place in the queue each chunk takes. */
  readonly mailbox: string;
  readonly deadline: Deadline;
  readonly logEntry: LogEntry;
  /** Undefined for Outlook's upload host, which must not see one. */
  token(): Promise<string | undefined>;
  /** @throws ServiceError InteractionRequired where Graph's challenge is the user's to meet */
  invalidateToken(token: string, refusal: GraphResponse): void;
  /** How long the next attempt may still be put off. */
  retryRemainingMs(): number;
  /** @throws the deadline's reason */
  pause(delayMs: number): Promise<void>;
}

export interface UploadContextOptions
  extends Pick<UploadContext, 'client' | 'concurrencyLimiter' | 'mailbox' | 'deadline' | 'logEntry'> {
  readonly hosts: readonly string[];
  readonly uploadUrl: () => string;
  readonly tokens: TokenSource;
  readonly kind: ItemKind;
  /** Attempts begin no later than this after now. */
  readonly retryTimeoutMs: number;
}

export function createUploadContext({
  hosts,
  uploadUrl,
  tokens,
  kind,
  retryTimeoutMs,
  ...shared
}: UploadContextOptions): UploadContext {
  const { deadline, logEntry } = shared;
  const retryUntil = performance.now() + retryTimeoutMs;
  // Outlook's upload host rejects bytes that come with a token; Graph's own requires one for To Do.
  const needsToken = kind === 'todoTask';
  return {
    ...shared,
    uploadUrl: () => parseUploadUrl(uploadUrl(), hosts),
    async token() {
      if (!needsToken) return undefined;
      try {
        return await tokens.acquire(deadline);
      } finally {
        logEntry.endStage('token');
      }
    },
    invalidateToken: (token, refusal) => tokens.invalidate(token, challengeIn(refusal)),
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
export async function retryUntilSettled(
  uploadContext: UploadContext,
  send: (token: string | undefined) => Promise<AttemptResult>,
  isSettled: (response: GraphResponse) => boolean,
): Promise<AttemptResult> {
  let isTokenRenewed = false;
  for (let attempts = 1; ; attempts += 1) {
    const token = await uploadContext.token();
    const result = await send(token);
    uploadContext.deadline.signal.throwIfAborted();
    const response = result.kind === 'response' ? result.response : undefined;
    if (response?.status === 401 && token !== undefined) {
      uploadContext.invalidateToken(token, response);
      if (!isTokenRenewed) {
        isTokenRenewed = true;
        continue;
      }
    }
    if (response !== undefined && isSettled(response)) return result;
    const delayMs = backOffMs(response?.headers['retry-after'], attempts, Date.now(), Math.random());
    if (delayMs + RETRY_MIN_ATTEMPT_MS > uploadContext.retryRemainingMs()) return result;
    await uploadContext.pause(delayMs);
    uploadContext.logEntry.endStage('wait');
  }
}

/** As retryDelayMs, but a chunk of megabytes is not sent again at once because `Retry-After` is short or 0. */
export function backOffMs(retryAfter: string | undefined, failures: number, now: number, random: number): number {
  const ownMs = retryDelayMs(undefined, failures, now, random);
  return Math.max(ownMs, retryDelayMs(retryAfter, failures, now, random));
}

/** One attempt, which takes one of the mailbox's places. */
export async function withSlot(
  { concurrencyLimiter: queue, mailbox, logEntry }: UploadContext,
  signal: AbortSignal,
  start: () => Promise<HttpRequest>,
): Promise<AttemptResult> {
  const leave = await queue.enter(mailbox, signal);
  logEntry.endStage('queue');
  try {
    const { result, released } = await start();
    void released.then(leave);
    const settled = await result;
    const response = settled.kind === 'response' ? settled.response : undefined;
    logEntry.addAttempt(response?.status ?? 0, response?.headers['request-id']);
    logEntry.endStage('graph');
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
export async function endSession(uploadContext: UploadContext): Promise<SessionEnd> {
  try {
    const signal = AbortSignal.timeout(SESSION_END_TIMEOUT_MS);
    const token = await uploadContext.token();
    const result = await withSlot(uploadContext, signal, () =>
      uploadContext.client.remove(uploadContext.uploadUrl(), signal, token),
    );
    const status = result.kind === 'response' ? result.response.status : 0;
    if (status === 204) return { kind: 'ended' };
    return status === 404 || status === 410 ? { kind: 'gone' } : { kind: 'unknown', failure: unsettled(result) };
  } catch (failure) {
    return { kind: 'unknown', failure };
  }
}

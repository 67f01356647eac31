import { setTimeout as sleep } from 'node:timers/promises';
import type { Deadline } from '../deadline.ts';
import { ServiceError } from '../errors.ts';
import { RETRY_MIN_ATTEMPT_MS } from '../limits.ts';
import type { RequestRecord } from '../log/requestRecord.ts';
import type { GraphSpans } from '../telemetry/graphSpans.ts';
import { TransportError, type UpstreamAnswer } from './exchange.ts';
import { forward, type GraphCall } from './forward.ts';
import { createGraphClient } from './graphClient.ts';
import { createHttpHandler } from './httpHandler.ts';
import type { MailboxQueue } from './mailboxQueue.ts';
import { isRetryable, retryDelayMs } from './retryDelay.ts';
import type { TokenSource } from './tokenSource.ts';

export interface ForwarderOptions {
  readonly graphOrigin: string;
  readonly tokens: TokenSource;
  readonly queue: MailboxQueue;
  readonly maxAttempts: number;
  readonly spans: GraphSpans;
}

/** One request to Graph with all its attempts, inside the deadline. */
export interface Forwarder {
  /** Loads the HTTP client ahead of the first call. */
  connect(): Promise<void>;
  /**
   * @param mailbox whose place in the queue it takes, in one letter case
   * @throws ServiceError TokenUnavailable, MailboxBusy, GraphUnreachable, GraphAnswerInvalid, or the deadline's reason
   */
  send(
    call: Omit<GraphCall, 'token'>,
    mailbox: string,
    deadline: Deadline,
    record: RequestRecord,
  ): Promise<UpstreamAnswer>;
}

/** What one attempt came to: an answer, or a connection that failed before one. */
type Outcome =
  | { readonly kind: 'answer'; readonly answer: UpstreamAnswer }
  | { readonly kind: 'unreachable'; readonly error: TransportError };

/**
 * A POST that makes a session may be repeated: a session that nobody uses expires by itself. 429, 503, 504 and a
 * connection that failed before the answer are tried again while the wait fits the deadline; else what is there is given
 * back at once. A 401 drops the token and is tried once more with the next one.
 */
export function createForwarder({ graphOrigin, tokens, queue, maxAttempts, spans }: ForwarderOptions): Forwarder {
  const http = createHttpHandler(graphOrigin);
  const client = createGraphClient(graphOrigin, http);

  async function attempt(
    call: GraphCall,
    mailbox: string,
    signal: AbortSignal,
    record: RequestRecord,
  ): Promise<Outcome> {
    const leave = await queue.enter(mailbox, signal);
    record.endStage('queue');
    const span = spans.start(call.kind, call.traceParent, record.upstreamStatuses.length + 1);
    let status = 0;
    try {
      const answer = await forward(client, { ...call, traceParent: span.traceParent }, signal);
      status = answer.status;
      record.addAttempt(status, answer.headers['request-id']);
      return { kind: 'answer', answer };
    } catch (error) {
      record.addAttempt(0, undefined);
      if (!(error instanceof TransportError)) throw error;
      if (error.phase === 'beforeAnswer') return { kind: 'unreachable', error };
      throw new ServiceError('GraphAnswerInvalid', "The connection broke off within Graph's answer.", { cause: error });
    } finally {
      span.end(status);
      record.endStage('graph');
      leave();
    }
  }

  return {
    connect: http.connect,
    async send(call, mailbox, deadline, record) {
      let token = await tokens.acquire(deadline);
      record.endStage('token');
      let isTokenRenewed = false;
      for (let failures = 1; ; ) {
        const outcome = await attempt({ ...call, token }, mailbox, deadline.signal, record);
        if (outcome.kind === 'answer' && outcome.answer.status === 401 && !isTokenRenewed) {
          isTokenRenewed = true;
          tokens.drop(token, claimsChallenge(outcome.answer));
          token = await tokens.acquire(deadline);
          record.endStage('token');
          continue;
        }
        if (outcome.kind === 'answer' && !isRetryable(outcome.answer.status)) return outcome.answer;
        const retryAfter = outcome.kind === 'answer' ? outcome.answer.headers['retry-after'] : undefined;
        const delayMs = retryDelayMs(retryAfter, failures, Date.now(), Math.random());
        const fits = delayMs + RETRY_MIN_ATTEMPT_MS < deadline.remainingMs();
        if (failures >= maxAttempts || !fits) return settle(outcome);
        failures += 1;
        await pause(delayMs, deadline.signal);
        record.endStage('wait');
      }
    },
  };
}

function settle(outcome: Outcome): UpstreamAnswer {
  if (outcome.kind === 'answer') return outcome.answer;
  throw new ServiceError('GraphUnreachable', 'The connection to Graph failed.', { cause: outcome.error });
}

async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(delayMs, undefined, { signal });
  } catch {
    throw signal.reason;
  }
}

/** Continuous access evaluation: learn.microsoft.com/entra/identity-platform/claims-challenge */
function claimsChallenge(answer: UpstreamAnswer): string | undefined {
  const encoded = /claims="([A-Za-z0-9+/=_-]+)"/.exec(answer.headers['www-authenticate'] ?? '')?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}

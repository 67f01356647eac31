import { type Clock, systemClock } from '../common/clock.ts';
import type { ConcurrencyLimiter } from '../common/concurrencyLimiter.ts';
import type { Deadline } from '../common/deadline.ts';
import { RETRY_MIN_ATTEMPT_MS } from '../common/limits.ts';
import { ServiceError } from '../errors.ts';
import type { LogEntry } from '../logging/logEntry.ts';
import { errorCode } from '../server/response.ts';
import type { GraphSpans } from '../telemetry/graphSpans.ts';
import type { TokenSource } from '../tokens/tokenSource.ts';
import { challengeIn } from './challengeIn.ts';
import { type AttemptResult, GraphAttempt, type GraphResponse } from './graphAttempt.ts';
import { createGraphClient } from './graphClient.ts';
import { createHttpHandler, type HttpHandler } from './httpHandler.ts';
import { parseBody } from './relayResponse.ts';
import { isRetryableStatus, retryDelayMs } from './retryDelay.ts';
import { type GraphCall, sendOnce } from './sendOnce.ts';

export interface GraphHttpOptions {
  readonly graphOrigin: string;
  readonly concurrencyLimiter: ConcurrencyLimiter;
  readonly maxAttempts: number;
  readonly spans: GraphSpans;
  readonly clock?: Clock;
  readonly http?: HttpHandler;
}

/** For whom Graph is called. */
export interface CallContext {
  /** Whose place in the queue the call takes, in one letter case. */
  readonly mailbox: string;
  /** The app's own, or those of the user for whom the request acts. */
  readonly tokens: TokenSource;
  readonly deadline: Deadline;
  readonly logEntry: LogEntry;
}

/** One request to Graph with all its attempts, inside the deadline. */
export interface GraphHttp {
  /** Loads the HTTP client ahead of the first call, and opens a connection for it. */
  connect(): Promise<void>;
  /** @throws ServiceError of the tokens, MailboxBusy, GraphUnreachable, GraphAnswerInvalid, or the deadline's reason */
  send(call: Omit<GraphCall, 'token'>, context: CallContext): Promise<GraphResponse>;
}

/**
 * A POST that makes a session may be repeated: a session that nobody uses expires by itself. 429, 503, 504 and a
 * connection that failed before the answer are tried again while the wait fits the deadline; else what is there is given
 * back at once. A POST that attaches is tried again only where Graph has answered, and has not done it all the same.
 * A call that is sent once is never repeated by itself, except
 * after a 401, since Graph has then done nothing. A 401 drops the token and is tried once more with the next one. A POST to an item that Graph does not find is repeated
 * for a moment: an item that was just created is not on every server yet.
 */
export async function createGraphHttp({
  graphOrigin,
  concurrencyLimiter: queue,
  maxAttempts,
  spans,
  clock = systemClock,
  http = createHttpHandler(graphOrigin),
}: GraphHttpOptions): Promise<GraphHttp> {
  const client = await createGraphClient(graphOrigin, http);

  async function acquire({ tokens, deadline, logEntry }: CallContext): Promise<string> {
    try {
      return await tokens.acquire(deadline);
    } finally {
      logEntry.endStage('token');
    }
  }

  async function attempt(
    call: GraphCall,
    { mailbox, deadline: { signal }, logEntry }: CallContext,
  ): Promise<AttemptResult> {
    const leave = await queue.enter(mailbox, signal);
    logEntry.endStage('queue');
    const attempt = new GraphAttempt(signal);
    try {
      return await recorded(call, attempt, logEntry);
    } finally {
      void attempt.released.then(leave);
    }
  }

  async function recorded(call: GraphCall, attempt: GraphAttempt, logEntry: LogEntry): Promise<AttemptResult> {
    const span = spans.start(call, logEntry.graphStatuses.length + 1);
    let result: AttemptResult | undefined;
    try {
      result = await sendOnce(client, { ...call, traceParent: span.traceParent }, attempt);
      return result;
    } finally {
      const response = result?.kind === 'answer' ? result.answer : undefined;
      logEntry.addAttempt(response?.status ?? 0, response?.headers['request-id']);
      logEntry.endStage('graph');
      span.end(response?.status ?? 0);
    }
  }

  return {
    connect: http.connect,
    async send(call, context) {
      const { tokens, deadline, logEntry } = context;
      let token = await acquire(context);
      let isTokenRenewed = false;
      const notFound = new NotFoundRetries(clock);
      for (let attempts = 1; ; ) {
        const result = await attempt({ ...call, token }, context);
        if (result.kind === 'answer' && result.answer.status === 401) {
          const challenge = challengeIn(result.answer);
          // A token that has just been renewed is kept, unless Graph says what it lacks: another would fare no better.
          if (!isTokenRenewed || challenge !== undefined) tokens.invalidate(token, challenge);
          if (!isTokenRenewed) {
            isTokenRenewed = true;
            token = await acquire(context);
            continue;
          }
        }
        if (call.isSentOnce) return settle(result);
        const isNotFound = call.method === 'POST' && isItemNotFound(result);
        if (!isNotFound && !isRetryable(result, call.isDone === undefined)) return settle(result);
        const delayMs = isNotFound
          ? notFound.nextDelayMs()
          : retryDelayMs(retryAfterOf(result), attempts, clock.now(), Math.random());
        const fits = delayMs + RETRY_MIN_ATTEMPT_MS < deadline.remainingMs();
        if (attempts >= maxAttempts || !fits) return settle(result);
        attempts += 1;
        await clock.sleep(delayMs, deadline.signal);
        logEntry.endStage('wait');
        // The list of an item that is not there yet fails as well, and says nothing.
        const isDone = isNotFound ? call.isDone?.().catch(() => false) : call.isDone?.();
        if (await isDone) return settle(result);
      }
    },
  };
}

/** Of a call that must not be done twice, only one that Graph is done with. */
function isRetryable(result: AttemptResult, isRepeatable: boolean): boolean {
  if (result.kind === 'failed') return isRepeatable && result.phase === 'beforeAnswer';
  const { status } = result.answer;
  return isRepeatable ? isRetryableStatus(status) : DONE_WITH.includes(status);
}

/** 412 and 423: another writer at the item, as where a loop attaches several files at once (msgraph-sdk-dotnet, issue 1287). */
const DONE_WITH: readonly number[] = [412, 423, 429, 503];

/** Waits before the retries; the second is longer, for a copy that lags more. Their sum leaves time for the calls themselves. */
const NOT_FOUND_DELAYS_MS: readonly number[] = [700, 1_400];
/** No retry begins later than this after the first 404: the id of an item that does not exist costs its caller no more. */
const NOT_FOUND_RETRY_MS = 3_000;

/** The retries of one call whose item Graph does not find. */
class NotFoundRetries {
  readonly #clock: Clock;
  #firstAt: number | undefined;
  #retries = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Infinity: there have been enough. */
  nextDelayMs(): number {
    const now = this.#clock.now();
    this.#firstAt ??= now;
    const delayMs = NOT_FOUND_DELAYS_MS[this.#retries] ?? Number.POSITIVE_INFINITY;
    this.#retries += 1;
    return now + delayMs - this.#firstAt > NOT_FOUND_RETRY_MS ? Number.POSITIVE_INFINITY : delayMs;
  }
}

/** Exchange's code, and the one of Graph's common list: learn.microsoft.com/graph/errors. A missing mailbox has other codes. */
function isItemNotFound(result: AttemptResult): boolean {
  if (result.kind !== 'answer' || result.answer.status !== 404) return false;
  return ['ErrorItemNotFound', 'itemNotFound'].includes(errorCode(parseBody(result.answer.body)) ?? '');
}

function retryAfterOf(result: AttemptResult): string | undefined {
  return result.kind === 'answer' ? result.answer.headers['retry-after'] : undefined;
}

function settle(result: AttemptResult): GraphResponse {
  if (result.kind === 'answer') return result.answer;
  const { cause } = result;
  if (result.phase === 'beforeAnswer')
    throw new ServiceError('GraphUnreachable', 'The connection to Graph failed.', { cause });
  throw new ServiceError('GraphAnswerInvalid', "The connection broke off within Graph's answer.", { cause });
}

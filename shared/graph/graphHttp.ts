import { type Clock, systemClock } from '../common/clock.ts';
import type { ConcurrencyLimiter } from '../common/concurrencyLimiter.ts';
import type { Deadline } from '../common/deadline.ts';
import { RETRY_MIN_ATTEMPT_MS } from '../common/limits.ts';
import { ServiceError } from '../errors.ts';
import type { LogEntry } from '../logging/logEntry.ts';
import { errorCode } from '../server/response.ts';
import type { TokenSource } from '../tokens/tokenSource.ts';
import type { GraphCall, GraphClient } from './graphClient.ts';
import { type AttemptResult, challengeIn, type GraphResponse, parseBody } from './graphResponse.ts';
import type { GraphSpans } from './graphSpans.ts';
import { isRetryableStatus, retryDelayMs } from './retryDelay.ts';

export interface GraphHttpOptions {
  readonly client: GraphClient;
  readonly concurrencyLimiter: ConcurrencyLimiter;
  readonly maxAttempts: number;
  readonly spans: GraphSpans;
  readonly clock?: Clock;
}

/** For whom Graph is called. */
export interface CallContext {
  /** Whose place in the queue the call takes; case-folded. */
  readonly mailbox: string;
  /** The app's own, or the tokens of the user for whom the request acts. */
  readonly tokens: TokenSource;
  readonly deadline: Deadline;
  readonly logEntry: LogEntry;
}

/** One request to Graph with all its attempts, within the deadline. */
export interface GraphHttp {
  /** @throws ServiceError of the tokens, MailboxBusy, GraphUnreachable, GraphAnswerInvalid, or the deadline's reason */
  send(call: Omit<GraphCall, 'token'>, context: CallContext): Promise<GraphResponse>;
}

/**
 * A POST that opens a session may be repeated: an unused session expires by itself. 429, 503, 504 and a connection that failed
 * before the response are retried while the wait fits the deadline; otherwise the last result is returned at once.
 * A POST that attaches is retried only if Graph has responded and has not attached the file despite the error.
 * A call that is sent once is not retried, except after a 401, since Graph has then done nothing.
 * A 401 invalidates the token and is retried once with the next one. A POST to an item that Graph does not find is retried for a
 * moment: an item that was just created is not on every server yet.
 */
export function createGraphHttp({
  client,
  concurrencyLimiter,
  maxAttempts,
  spans,
  clock = systemClock,
}: GraphHttpOptions): GraphHttp {
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
    const leave = await concurrencyLimiter.enter(mailbox, signal);
    logEntry.endStage('queue');
    const span = spans.start(call, logEntry.graphStatuses.length + 1);
    let released = Promise.resolve();
    let response: GraphResponse | undefined;
    try {
      const request = await client.send({ ...call, traceParent: span.traceParent }, signal);
      released = request.released;
      const result = await request.result;
      signal.throwIfAborted();
      if (result.kind === 'response') response = result.response;
      return result;
    } finally {
      void released.then(leave);
      logEntry.addAttempt(response?.status ?? 0, response?.headers['request-id']);
      logEntry.endStage('graph');
      span.end(response?.status ?? 0);
    }
  }

  return {
    async send(call, context) {
      const { tokens, deadline, logEntry } = context;
      let token = await acquire(context);
      let isTokenRenewed = false;
      const notFound = new NotFoundRetries(clock);
      for (let attempts = 1; ; ) {
        const result = await attempt({ ...call, token }, context);
        if (result.kind === 'response' && result.response.status === 401) {
          const challenge = challengeIn(result.response);
          // A token that was just renewed is kept unless Graph requires more claims: another one would be rejected too.
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
        // Listing the attachments of an item that Graph does not find yet fails as well, which shows nothing.
        const isDone = isNotFound ? call.isDone?.().catch(() => false) : call.isDone?.();
        if (await isDone) return settle(result);
      }
    },
  };
}

/** A call that must not be done twice is retried only after a status that shows that Graph has finished it. */
function isRetryable(result: AttemptResult, isRepeatable: boolean): boolean {
  if (result.kind === 'failed') return isRepeatable && result.phase === 'beforeResponse';
  const { status } = result.response;
  return isRepeatable ? isRetryableStatus(status) : FINISHED_STATUSES.includes(status);
}

/** 412 and 423: another writer changes the item, such as a loop that attaches several files at once (msgraph-sdk-dotnet, issue 1287). */
const FINISHED_STATUSES: readonly number[] = [412, 423, 429, 503];

/** Delays before the retries. Their sum leaves time for the calls themselves. */
const NOT_FOUND_DELAYS_MS: readonly number[] = [700, 1_400];
/** No retry begins later than this after the first 404, so that a wrong id costs its caller no more. */
const NOT_FOUND_RETRY_MS = 3_000;

/** The retries of one call if Graph does not find its item. */
class NotFoundRetries {
  readonly #clock: Clock;
  #firstAt: number | undefined;
  #retries = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Infinity if no retry is left. */
  nextDelayMs(): number {
    const now = this.#clock.now();
    this.#firstAt ??= now;
    const delayMs = NOT_FOUND_DELAYS_MS[this.#retries] ?? Number.POSITIVE_INFINITY;
    this.#retries += 1;
    return now + delayMs - this.#firstAt > NOT_FOUND_RETRY_MS ? Number.POSITIVE_INFINITY : delayMs;
  }
}

/** Exchange's code and Graph's common one: learn.microsoft.com/graph/errors. A missing mailbox has other codes. */
function isItemNotFound(result: AttemptResult): boolean {
  if (result.kind !== 'response' || result.response.status !== 404) return false;
  return ['ErrorItemNotFound', 'itemNotFound'].includes(errorCode(parseBody(result.response.body)) ?? '');
}

function retryAfterOf(result: AttemptResult): string | undefined {
  return result.kind === 'response' ? result.response.headers['retry-after'] : undefined;
}

function settle(result: AttemptResult): GraphResponse {
  if (result.kind === 'response') return result.response;
  const { cause } = result;
  if (result.phase === 'beforeResponse')
    throw new ServiceError('GraphUnreachable', 'The connection to Graph failed.', { cause });
  throw new ServiceError('GraphAnswerInvalid', 'The connection to Graph closed in the middle of the response.', {
    cause,
  });
}

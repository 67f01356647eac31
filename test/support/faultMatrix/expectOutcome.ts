import { BUDGETS_MS, type Cell, type GraphConduct, REFUSAL_MS, type RetryAfter, SLOW_TOKEN_MS } from './cells.ts';

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** What a cell must come to. `because` is the rule that asks for it. */
export interface Expectation {
  readonly status: number;
  readonly code: string;
  /** Calls that reach Graph. A range where the backoff's jitter decides how many fit. */
  readonly attempts: Range;
  /** Whether the end of the time may come first, in the middle of an attempt: then 504 TimedOut is right as well. */
  readonly mayTimeOut: boolean;
  readonly because: string;
}

/** One call and its way on a busy machine, for the fewest attempts that must fit. */
const BUSY_CALL_MS = 400;

const MAX_ATTEMPTS = 4;
const MIN_ATTEMPT_MS = 250;

/**
 * A model of the requirements apart from the code: no retry loop, no clock, no tables of the product's. Retries: 429, 503,
 * 504 and connections that fail before an answer; three at most; Retry-After honoured; only while the wait fits. 404: two.
 */
export function expectOutcome({ fault, token, budget }: Cell): Expectation {
  const budgetMs = BUDGETS_MS[budget];
  if (token === 'failing' || (token === 'slow' && SLOW_TOKEN_MS > budgetMs)) {
    const because = 'no token within the budget; Graph is not asked';
    return { status: 503, code: 'TokenUnavailable', attempts: { min: 0, max: 0 }, mayTimeOut: false, because };
  }
  const spentMs = { fine: 0, slow: SLOW_TOKEN_MS, expiring: REFUSAL_MS }[token];
  // The first call is refused because its token has ended, and repeated with the next one. One that comes late has the next one.
  const refused = token === 'expiring' ? 1 : 0;
  const asked = answerTo(fault.conduct, budgetMs - spentMs - refused * BUSY_CALL_MS, budgetMs - spentMs);
  const isRenewal = fault.conduct.kind === 'graphError' && fault.conduct.status === 401;
  const extra = isRenewal ? 0 : refused; // A second 401 is final: the token is fetched again once.
  return {
    ...asked,
    attempts: { min: asked.attempts.min, max: asked.attempts.max + extra },
    mayTimeOut: asked.isRetried || budget === 'short',
  };
}

interface Reply extends Omit<Expectation, 'mayTimeOut'> {
  readonly isRetried: boolean;
}

/** @param leastMs time left on a busy machine; @param mostMs on an idle one */
function answerTo(conduct: GraphConduct, leastMs: number, mostMs: number): Reply {
  const once = { attempts: { min: 1, max: 1 }, isRetried: false };
  const retried = (retryAfter: RetryAfter) => ({
    attempts: countAttempts(retryAfter, leastMs, mostMs),
    isRetried: retryAfter !== '9999',
  });
  switch (conduct.kind) {
    case 'session':
      return { ...once, status: 201, code: 'Created', because: 'an uploadSession is relayed' };
    case 'silence':
      return { ...once, status: 504, code: 'TimedOut', because: 'the budget is spent' };
    case 'slowSession':
      return mostMs <= BUDGETS_MS.short
        ? { ...once, status: 504, code: 'TimedOut', because: 'the budget covers the body too' }
        : { ...once, status: 201, code: 'Created', because: 'slow, and in time' };
    case 'noSession':
      return { ...once, status: 502, code: 'GraphAnswerInvalid', because: 'no uploadSession; no redirect is followed' };
    case 'brokenOff':
      return conduct.at === 'withinAnswer'
        ? { ...once, status: 502, code: 'GraphAnswerInvalid', because: 'Graph had begun to answer: no retry' }
        : { ...retried('none'), status: 502, code: 'GraphUnreachable', because: 'failed before an answer: retried' };
    case 'page':
      return pageReply(conduct.status, once, retried);
    case 'graphError':
      return errorReply(conduct, once, retried, { attempts: countNotFound(leastMs, mostMs), isRetried: true });
  }
}

type Once = Pick<Reply, 'attempts' | 'isRetried'>;

function pageReply(status: number, once: Once, retried: (retryAfter: RetryAfter) => Once): Reply {
  const because = 'a page of a gateway: our own code in its place';
  if (status === 429) return { ...retried('none'), status, code: 'GraphThrottled', because };
  if (status === 503) return { ...retried('none'), status, code: 'GraphUnavailable', because };
  if (status === 413) return { ...once, status, code: 'GraphRefused', because };
  return { ...once, status: 502, code: 'GraphAnswerInvalid', because };
}

function errorReply(
  { status, code, retryAfter }: Extract<GraphConduct, { kind: 'graphError' }>,
  once: Once,
  retried: (retryAfter: RetryAfter) => Once,
  notFound: Once,
): Reply {
  if (status === 404)
    return { ...notFound, status, code, because: 'an item created a moment ago: retried, then relayed' };
  if (retryAfter !== undefined) return { ...retried(retryAfter), status, code, because: 'retried, then relayed' };
  if (status === 401) {
    const attempts = { min: 2, max: 2 };
    const because = 'the token is fetched again once; then it is our fault';
    return { attempts, isRetried: false, status: 502, code: 'GraphRejectedToken', because };
  }
  if (status >= 500) return { ...once, status: 502, code: 'GraphAnswerInvalid', because: 'not to be retried' };
  return { ...once, status, code, because: 'relayed as it is' };
}

/** The shortest and the longest wait before the next attempt, in milliseconds. */
function waitRange(retryAfter: RetryAfter, failures: number): Range {
  switch (retryAfter) {
    case 'none':
    case 'garbage':
      return { min: 0, max: 500 * 2 ** (failures - 1) };
    case 'date': // Whole seconds, two to three ahead.
      return { min: 1900, max: 3250 };
    default:
      return { min: Number(retryAfter) * 1000, max: Number(retryAfter) * 1000 + 250 };
  }
}

function countAttempts(retryAfter: RetryAfter, leastMs: number, mostMs: number): Range {
  const count = (leftMs: number, end: keyof Range, callMs: number) => {
    let left = leftMs - callMs;
    let attempts = 1;
    for (; attempts < MAX_ATTEMPTS; attempts++) {
      const wait = waitRange(retryAfter, attempts)[end];
      if (wait + MIN_ATTEMPT_MS >= left) break;
      left -= wait + callMs;
    }
    return attempts;
  };
  return { min: count(leastMs, 'max', BUSY_CALL_MS), max: count(mostMs, 'min', 0) };
}

/** The waits before the retries where Graph does not find the item. */
const NOT_FOUND_WAITS_MS = [700, 1400];

function countNotFound(leastMs: number, mostMs: number): Range {
  const count = (leftMs: number, callMs: number) => {
    let left = leftMs - callMs;
    let attempts = 1;
    for (const wait of NOT_FOUND_WAITS_MS) {
      if (wait + MIN_ATTEMPT_MS >= left) break;
      left -= wait + callMs;
      attempts += 1;
    }
    return attempts;
  };
  return { min: count(leastMs, BUSY_CALL_MS), max: count(mostMs, 0) };
}

/** The shortest time between two calls that honours what Graph asked for, in milliseconds. */
export function leastGapMs(conduct: GraphConduct): number {
  const retryAfter = conduct.kind === 'graphError' ? conduct.retryAfter : undefined;
  return retryAfter === undefined ? 0 : waitRange(retryAfter, 1).min;
}

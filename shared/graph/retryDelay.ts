import { RETRY_BASE_DELAY_MS } from '../common/limits.ts';

/** Statuses that Graph asks to repeat: learn.microsoft.com/graph/errors, learn.microsoft.com/graph/throttling */
export function isRetryableStatus(status: number): boolean {
  return status === 429 || status === 503 || status === 504;
}

/**
 * How long to wait before the next attempt, in milliseconds. `Retry-After` is honoured to the full and a little longer
 * (jitter keeps instances apart); without one that parseRetryAfter can read, exponential backoff with full jitter.
 *
 * @param failures attempts that have failed so far, 1 or more
 * @param random in [0, 1)
 */
export function retryDelayMs(retryAfter: string | undefined, failures: number, now: number, random: number): number {
  const asked = parseRetryAfter(retryAfter, now);
  if (asked !== undefined) return asked + random * RETRY_BASE_DELAY_MS * 0.5;
  return random * RETRY_BASE_DELAY_MS * 2 ** (failures - 1);
}

/** A server that names a longer wait has made a mistake, and no timer and no date of ours could hold what it may name. Our choice. */
const MAX_RETRY_AFTER_MS = 365 * 86_400_000;

/**
 * RFC 9110, section 10.2.3: seconds or an HTTP date; in milliseconds from now. Undefined where the value says nothing of use: it is
 * neither form, more than a year, or a date that has passed, since the server's clock may be behind ours.
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const waitMs = /^\d+$/.test(value) ? Number(value) * 1000 : dateOf(value) - now;
  return waitMs >= 0 && waitMs <= MAX_RETRY_AFTER_MS ? waitMs : undefined;
}

/** Epoch milliseconds; not a number where the text is no HTTP date. */
function dateOf(text: string): number {
  return /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN;
}

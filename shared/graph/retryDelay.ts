import { RETRY_BASE_DELAY_MS } from '../limits.ts';

/** Statuses that Graph asks to repeat: learn.microsoft.com/graph/errors, learn.microsoft.com/graph/throttling */
export function isRetryableStatus(status: number): boolean {
  return status === 429 || status === 503 || status === 504;
}

/**
 * How long to wait before the next attempt, in milliseconds. `Retry-After` is honoured to the full and a little longer
 * (jitter keeps instances apart); without one, or with one that is neither seconds nor a date, exponential backoff with
 * full jitter.
 *
 * @param failures attempts that have failed so far, 1 or more
 * @param random in [0, 1)
 */
export function retryDelayMs(retryAfter: string | undefined, failures: number, now: number, random: number): number {
  const asked = parseRetryAfter(retryAfter, now);
  if (asked !== undefined) return asked + random * RETRY_BASE_DELAY_MS * 0.5;
  return random * RETRY_BASE_DELAY_MS * 2 ** (failures - 1);
}

/** RFC 9110, section 10.2.3: seconds or an HTTP date; in milliseconds from now. */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = /^[A-Z][a-z]{2}, /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

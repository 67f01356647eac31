import { setTimeout as delay } from 'node:timers/promises';

/** The result of the promise, or undefined after the timeout. Without a timeout it waits for the promise. */
export async function within<T>(promise: Promise<T>, timeoutMs: number | undefined): Promise<T | undefined> {
  if (timeoutMs === undefined) return await promise;
  const timer = new AbortController();
  try {
    return await Promise.race([promise, delay(timeoutMs, undefined, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}

import { ServiceError } from '../errors.ts';
import type { Clock } from './clock.ts';

/**
 * The one moment by which a request must be answered. It flows through body, token, forwarding and retries;
 * `signal` aborts when it passes or when the caller goes away, with the ServiceError to answer as its reason.
 */
export interface Deadline {
  readonly signal: AbortSignal;
  remainingMs(): number;
  /** Ends the work because the caller went away. */
  cancel(): void;
  /** Stops the clock; to be called once the answer is known. */
  end(): void;
}

export function startDeadline(timeoutMs: number): Deadline {
  const controller = new AbortController();
  const at = performance.now() + timeoutMs;
  const timer = setTimeout(() => controller.abort(timedOut()), timeoutMs);
  return {
    signal: controller.signal,
    remainingMs: () => at - performance.now(),
    cancel: () => controller.abort(new ServiceError('CallerDisconnected', 'The caller closed the connection.')),
    end: () => clearTimeout(timer),
  };
}

/**
 * A part of a request's time, for work that must not take all of it. Call `end` once the work is done. `cancel` ends the part,
 * not the request.
 */
export function startPart(whole: Deadline, timeoutMs: number, clock: Clock): Deadline {
  const part = new AbortController();
  const ended = new AbortController();
  const endsAt = clock.now() + timeoutMs;
  clock.sleep(timeoutMs, ended.signal).then(
    () => part.abort(timedOut()),
    () => {},
  );
  return {
    signal: AbortSignal.any([whole.signal, part.signal]),
    remainingMs: () => Math.min(whole.remainingMs(), endsAt - clock.now()),
    cancel: () => part.abort(timedOut()),
    end: () => ended.abort(),
  };
}

function timedOut(): ServiceError {
  return new ServiceError('TimedOut', 'The time allowed for the request passed before Graph answered.');
}

/** Settles as `work` does; where the time ran out meanwhile, it rejects with `late`, not with TimedOut. */
export async function mapTimeout<T>(work: Promise<T>, late: () => ServiceError): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof ServiceError && error.code === 'TimedOut' ? late() : error;
  }
}

/** Waits, or rejects with the signal's reason once it aborts; leaves no timer then. */
export function pause(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Settles as `work` does, or rejects with the signal's reason once it aborts, whichever is first. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    work.catch(() => {}); // Nobody waits for it any more; its failure is not a second fault.
    return Promise.reject(signal.reason);
  }
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

import { setTimeout as timeout } from 'node:timers/promises';

/** The time as a dependency, so that tests can move it. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** @throws the signal's reason, once it aborts */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: Date.now,
  async sleep(ms, signal) {
    try {
      await timeout(ms, undefined, { signal });
    } catch {
      throw signal.reason;
    }
  },
};

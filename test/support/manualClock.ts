import type { Clock } from '../../shared/common/clock.ts';

/** A clock that moves only when the test says so. */
export interface ManualClock extends Clock {
  /** The length of every sleep so far, in milliseconds. */
  readonly sleeps: readonly number[];
  /** Moves on, and lets what that wakes run. */
  advance(ms: number): Promise<void>;
}

/** @param hurries each sleep moves the clock to its own end at once */
export function manualClock(hurries = false, startsAt = 1_000_000): ManualClock {
  let now = startsAt;
  const sleeps: number[] = [];
  const sleepers = new Set<{ readonly until: number; wake(): void }>();
  return {
    sleeps,
    now: () => now,
    sleep(ms, signal) {
      sleeps.push(ms);
      if (signal.aborted) return Promise.reject(signal.reason);
      if (hurries) {
        now += ms;
        return Promise.resolve();
      }
      return new Promise((resolve, reject) => {
        const sleeper = { until: now + ms, wake: resolve };
        sleepers.add(sleeper);
        signal.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        });
      });
    },
    async advance(ms) {
      now += ms;
      for (const sleeper of [...sleepers].filter(({ until }) => until <= now)) {
        sleepers.delete(sleeper);
        sleeper.wake();
      }
      await turns();
    },
  };
}

/** Lets everything run that waits for no time. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const MINIMUM_MS = 100;
const RANDOM_SHARE = 0.2;

/**
 * How long to wait before the next poll of a queue that had nothing: 100 ms, then about twice as long each time, up to
 * the maximum. (azure-sdk-for-net: RandomizedExponentialBackoffStrategy)
 *
 * @param hasFoundMessage since the last wait
 */
export function createPollingDelay(maximumMs: number): (hasFoundMessage: boolean) => number {
  let exponent = 0;
  let currentMs = 0;
  return (hasFoundMessage) => {
    if (hasFoundMessage) {
      exponent = 1;
      currentMs = MINIMUM_MS;
    } else if (currentMs !== maximumMs) {
      const factor = 1 - RANDOM_SHARE + 2 * RANDOM_SHARE * Math.random();
      const nextMs = MINIMUM_MS + (exponent > 0 ? factor * 2 ** (exponent - 1) * MINIMUM_MS : 0);
      exponent += 1;
      currentMs = Math.min(nextMs, maximumMs);
    }
    return currentMs;
  };
}

import fc from 'fast-check';
import { isRetryableStatus, parseRetryAfter, retryDelayMs } from '../../../shared/graph/retryDelay.ts';
import { RETRY_BASE_DELAY_MS } from '../../../shared/limits.ts';

const NOW = Date.parse('Mon, 23 Nov 2026 10:00:00 GMT');
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('isRetryableStatus', () => {
  it('repeats what Graph asks to repeat, and nothing else', () => {
    const statuses = Array.from({ length: 500 }, (_, index) => index + 100);

    expect(statuses.filter(isRetryableStatus)).toEqual([429, 503, 504]);
  });
});

describe('parseRetryAfter', () => {
  it.each([
    ['0', 0],
    ['2', 2_000],
    ['9999', 9_999_000],
    ['Mon, 23 Nov 2026 10:00:05 GMT', 5_000],
    ['Mon, 23 Nov 2026 09:59:00 GMT', 0],
  ])('reads %j', (value, expected) => {
    expect(parseRetryAfter(value, NOW)).toBe(expected);
  });

  it.each([
    undefined,
    '',
    '-1',
    '1.5',
    '1e3',
    '0x10',
    'soon',
    '5 seconds',
    '2026-11-23T10:00:05Z',
    'Mon, soon',
    'Infinity',
  ])('takes %j for no hint at all', (value) => {
    expect(parseRetryAfter(value, NOW)).toBeUndefined();
  });
});

describe('retryDelayMs', () => {
  it('waits as long as asked and at most half the base delay longer', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10_000 }), fc.integer({ min: 1, max: 4 }), random, (seconds, failures, chance) => {
        const delay = retryDelayMs(String(seconds), failures, NOW, chance);

        expect(delay).toBeGreaterThanOrEqual(seconds * 1_000);
        expect(delay).toBeLessThanOrEqual(seconds * 1_000 + RETRY_BASE_DELAY_MS / 2);
      }),
    );
  });

  it('waits without a hint up to twice as long after each failure', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(undefined, 'soon'),
        fc.integer({ min: 1, max: 4 }),
        random,
        (hint, failures, chance) => {
          expect(retryDelayMs(hint, failures, NOW, chance)).toBe(chance * RETRY_BASE_DELAY_MS * 2 ** (failures - 1));
        },
      ),
    );
  });

  it('never gives a wait that a timer would not understand for a moment in the past', () => {
    expect(retryDelayMs('Sun, 06 Nov 1994 08:49:37 GMT', 1, NOW, 0)).toBe(0);
  });
});

import fc from 'fast-check';
import { RETRY_BASE_DELAY_MS } from '../../../shared/common/limits.ts';
import { isRetryableStatus, parseRetryAfter, retryDelayMs } from '../../../shared/graph/retryDelay.ts';

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
    ['172800', 172_800_000],
    ['31536000', 31_536_000_000],
    ['Mon, 23 Nov 2026 10:00:00 GMT', 0],
    ['Mon, 23 Nov 2026 10:00:05 GMT', 5_000],
    ['Wed, 25 Nov 2026 10:00:00 GMT', 172_800_000],
    ['Tue, 23 Nov 2027 10:00:00 GMT', 31_536_000_000],
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
    '31536001',
    '99999999999999',
    '9'.repeat(400),
    'Tue, 23 Nov 2027 10:00:01 GMT',
    'Fri, 31 Dec 9999 23:59:59 GMT',
    'Sat, 13 Sep 275760 00:00:00 GMT',
    'Mon, 23 Nov 2026 09:59:59 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMT',
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

  it('waits without a hint of use up to twice as long after each failure', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(undefined, 'soon', '99999999999999', 'Mon, 23 Nov 2026 09:59:59 GMT'),
        fc.integer({ min: 1, max: 4 }),
        random,
        (hint, failures, chance) => {
          expect(retryDelayMs(hint, failures, NOW, chance)).toBe(chance * RETRY_BASE_DELAY_MS * 2 ** (failures - 1));
        },
      ),
    );
  });

  it('gives a moment in time for whatever a server sends', () => {
    const hint = fc.oneof(
      fc.string(),
      fc.bigInt({ min: 0n, max: 10n ** 30n }).map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    );
    fc.assert(
      fc.property(hint, fc.integer({ min: 1, max: 10 }), random, (value, failures, chance) => {
        const delay = retryDelayMs(value, failures, NOW, chance);

        expect(delay).toBeGreaterThanOrEqual(0);
        expect(() => new Date(NOW + delay).toISOString()).not.toThrow();
      }),
    );
  });
});

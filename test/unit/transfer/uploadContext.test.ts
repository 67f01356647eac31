import { RETRY_BASE_DELAY_MS } from '../../../shared/common/limits.ts';
import { backOffMs } from '../../../shared/transfer/uploadContext.ts';

const NOW = Date.parse('2026-11-29T10:00:00Z');
const RANDOM = 0.5;

describe('backOffMs', () => {
  it.each(['0', 'Sun, 29 Nov 2026 10:00:00 GMT', undefined, 'soon'])(
    'grows with each attempt if Retry-After is %s',
    (retryAfter) => {
      const delays = [1, 2, 3, 4].map((failures) => backOffMs(retryAfter, failures, NOW, RANDOM));

      expect(delays).toEqual([1, 2, 4, 8].map((factor) => RANDOM * RETRY_BASE_DELAY_MS * factor));
    },
  );

  it('is at least what Retry-After says', () => {
    expect(backOffMs('20', 1, NOW, 0)).toBe(20_000);
    expect(backOffMs('20', 3, NOW, RANDOM)).toBeGreaterThan(20_000);
  });

  it('is longer than Retry-After after many attempts', () => {
    expect(backOffMs('1', 6, NOW, RANDOM)).toBe(RANDOM * RETRY_BASE_DELAY_MS * 32);
  });
});

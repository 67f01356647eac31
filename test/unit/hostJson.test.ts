import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAX_REQUEST_TIMEOUT_MS, READ_AWAY_TIMEOUT_MS } from '../../shared/limits.ts';

const { functionTimeout } = JSON.parse(readFileSync(join(__dirname, '../../host.json'), 'utf8'));

test("a function's time outlasts the longest request and the reading away behind it", () => {
  const [hours, minutes, seconds] = String(functionTimeout).split(':').map(Number);
  const functionTimeoutMs = ((hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)) * 1000;

  expect(functionTimeoutMs).toBeGreaterThan(MAX_REQUEST_TIMEOUT_MS + READ_AWAY_TIMEOUT_MS);
});

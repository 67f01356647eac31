import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DRAIN_TIMEOUT_MS, JOB_RUN_MS, MAX_REQUEST_TIMEOUT_MS } from '../../shared/common/limits.ts';

const { functionTimeout, extensions, extensionBundle } = JSON.parse(
  readFileSync(join(__dirname, '../../host.json'), 'utf8'),
);

function milliseconds(time: unknown): number {
  const [hours = 0, minutes = 0, seconds = 0] = String(time).split(':').map(Number);
  return (hours * 3600 + minutes * 60 + seconds) * 1000;
}

test("a function's time outlasts the longest request and the reading away behind it", () => {
  expect(milliseconds(functionTimeout)).toBeGreaterThan(MAX_REQUEST_TIMEOUT_MS + DRAIN_TIMEOUT_MS);
});

test("a run of a job ends well before a function's time", () => {
  expect(milliseconds(functionTimeout)).toBeGreaterThan(JOB_RUN_MS + 60_000);
});

test('an idle queue is asked every few seconds, and a message that fails does not come back at once', () => {
  expect(extensionBundle).toMatchObject({ id: 'Microsoft.Azure.Functions.ExtensionBundle' });
  expect(milliseconds(extensions.queues.maxPollingInterval)).toBeLessThanOrEqual(5_000);
  expect(milliseconds(extensions.queues.visibilityTimeout)).toBeGreaterThan(0);
  expect(extensions.queues).toMatchObject({ messageEncoding: 'base64', maxDequeueCount: 5 });
});

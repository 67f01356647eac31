import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasQueueTrigger } from '../../../shared/jobs/hasQueueTrigger.ts';

let appRoot: string;

beforeEach(() => {
  appRoot = mkdtempSync(join(tmpdir(), 'app-'));
});
afterEach(() => rmSync(appRoot, { recursive: true }));

describe('hasQueueTrigger', () => {
  it.each([
    ['with a bundle', '{"version":"2.0","extensionBundle":{"id":"a","version":"[4.*, 5.0.0)"}}', true],
    ['without one', '{"version":"2.0"}', false],
    ['that is no JSON', '{', false],
  ])('reads a host.json %s', (_, text, expected) => {
    writeFileSync(join(appRoot, 'host.json'), text);

    expect(hasQueueTrigger(appRoot)).toBe(expected);
  });

  it('finds extensions of the deployment itself', () => {
    mkdirSync(join(appRoot, 'bin'));
    writeFileSync(join(appRoot, 'bin', 'extensions.json'), '{}');

    expect(hasQueueTrigger(appRoot)).toBe(true);
  });

  it('finds none where there is no file', () => {
    expect(hasQueueTrigger(appRoot)).toBe(false);
  });
});

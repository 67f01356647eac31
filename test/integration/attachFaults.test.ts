import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Observation, playAttach, startFaultSite } from '../support/attachFaults/playAttach.ts';
import { judgeAttach, renderAttach } from '../support/attachFaults/renderAttach.ts';
import type { AttachSite } from '../support/attachSite.ts';
import { REPOSITORY_ROOT } from '../support/site.ts';

let site: AttachSite;
let observations: readonly Observation[];

beforeAll(async () => {
  site = await startFaultSite();
  observations = await playAttach(site);
});
afterAll(() => site.close());

test('attaches every file whole and once, or says clearly why not, and leaves nothing behind', () => {
  expect(observations.length).toBeGreaterThan(250);
  expect(observations.flatMap(judgeAttach)).toEqual([]);
});

test('agrees with docs/attachFaults.md', () => {
  const documented = readFileSync(join(REPOSITORY_ROOT, 'docs', 'attachFaults.md'), 'utf8');

  expect(renderAttach(observations)).toBe(documented);
});

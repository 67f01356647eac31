import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EVERY_CELL, SAMPLE } from '../support/attachFaults/cells.ts';
import { type Observation, playAttach, startFaultSite } from '../support/attachFaults/playAttach.ts';
import { isDocumented, judgeAttach, renderAttach } from '../support/attachFaults/renderAttach.ts';
import type { AttachSite } from '../support/attachSite.ts';
import { isExhaustive } from '../support/runs.ts';
import { REPOSITORY_ROOT } from '../support/site.ts';

let site: AttachSite;
let observations: readonly Observation[];

beforeAll(async () => {
  site = await startFaultSite();
  observations = await playAttach(site, isExhaustive ? EVERY_CELL : SAMPLE);
});
afterAll(() => site.close());

test('attaches every file whole and once, or says clearly why not, and leaves nothing behind', () => {
  expect(observations.length).toBeGreaterThan(isExhaustive ? 250 : 40);
  expect(observations.flatMap(judgeAttach)).toEqual([]);
});

test('agrees with docs/attachFaults.md', () => {
  const documented = readFileSync(join(REPOSITORY_ROOT, 'docs', 'attachFaults.md'), 'utf8');

  expect(observations.filter((seen) => !isDocumented(documented, seen))).toEqual([]);
  if (isExhaustive) expect(renderAttach(observations)).toBe(documented);
});

import { EVERY_CELL, SAMPLE } from '../support/attachFaults/cells.ts';
import { type Observation, playAttach, startFaultSite } from '../support/attachFaults/playAttach.ts';
import { judgeAttach } from '../support/attachFaults/renderAttach.ts';
import type { AttachSite } from '../support/attachSite.ts';
import { isExhaustive } from '../support/runs.ts';

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

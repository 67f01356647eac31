import { EVERY_CELL, SAMPLE } from '../support/rangeFaults/cells.ts';
import { playRanges, type RangeRun, startRangeSite } from '../support/rangeFaults/playRanges.ts';
import { judgeRange } from '../support/rangeFaults/renderRanges.ts';
import { readWholeStore } from '../support/readWholeStore.ts';
import { isExhaustive } from '../support/runs.ts';
import type { Site } from '../support/site.ts';

/** In full in `npm run test:exhaustive`. */
const CELLS = isExhaustive ? EVERY_CELL : SAMPLE;

let site: Site;
let run: RangeRun;

beforeAll(async () => {
  site = await startRangeSite();
  run = await playRanges(site, CELLS);
});
afterAll(() => site.close());

test('brings every file whole and once, or says clearly why not, and attaches nothing', () => {
  expect(run.observations).toHaveLength(CELLS.length);
  expect(run.observations.flatMap(judgeRange)).toEqual([]);
});

test('writes no address, no file name and no part of an uploadUrl to a log, an error or the store', async () => {
  const log = site.lines.map(({ message }) => message).join('\n');
  const stored = await readWholeStore(site.storage?.connectionString ?? '');
  const ids = run.uploads.map(({ url }) => url.slice(url.lastIndexOf('/') + 1));
  const authtokens = site.graph.requests.flatMap(({ path }) => /authtoken=([^&]+)/.exec(path)?.[1] ?? []);
  expect([ids.length, new Set(authtokens).size]).toEqual([CELLS.length, expect.any(Number)]);
  expect(authtokens.length).toBeGreaterThan(CELLS.length);

  const secrets = [...ids, ...new Set(authtokens), run.file.name, 'authtoken', 'attachmentSessions'];
  for (const text of [log, stored, run.errors.join('\n')]) {
    expect(text.length).toBeGreaterThan(1_000);
    expect(secrets.filter((secret) => text.toLowerCase().includes(secret.toLowerCase()))).toEqual([]);
  }
});

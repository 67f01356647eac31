import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { playAttach, startFaultSite } from '../test/support/attachFaults/playAttach.ts';
import { judgeAttach, renderAttach } from '../test/support/attachFaults/renderAttach.ts';
import { playMatrix } from '../test/support/faultMatrix/playMatrix.ts';
import { judge, renderMatrix } from '../test/support/faultMatrix/renderMatrix.ts';
import { playRanges, startRangeSite } from '../test/support/rangeFaults/playRanges.ts';
import { judgeRange, renderRanges } from '../test/support/rangeFaults/renderRanges.ts';
import { readOptions } from './commandLine.ts';

// `npm run errors:matrix`: plays every error against the built app and writes what came of it to build/errors/sessions.md,
// ranges.md and attach.md. Exits with 1 if a cell differs from the expected outcome (test/support/*/cells.ts), and names it.

readOptions(
  'Usage: npm run errors:matrix\nPlays every error against the built app and writes the outcomes to build/errors.',
  {},
);

const folder = join(import.meta.dirname, '../build/errors');
mkdirSync(folder, { recursive: true });

const sessions = (await playMatrix()).flatMap((run) => run.observations);
writeFileSync(join(folder, 'sessions.md'), renderMatrix(sessions));

const rangeSite = await startRangeSite();
const { observations: ranges } = await playRanges(rangeSite);
await rangeSite.close();
writeFileSync(join(folder, 'ranges.md'), renderRanges(ranges));

const attachSite = await startFaultSite();
const attaches = await playAttach(attachSite);
await attachSite.close();
writeFileSync(join(folder, 'attach.md'), renderAttach(attaches));

const errors = [...sessions.flatMap(judge), ...ranges.flatMap(judgeRange), ...attaches.flatMap(judgeAttach)];
for (const error of errors) console.error(error);
const count = sessions.length + ranges.length + attaches.length;
console.log(`${count} cells in ${folder}, ${errors.length} differences`);
process.exitCode = errors.length === 0 ? 0 : 1;

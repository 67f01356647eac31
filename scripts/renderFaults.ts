import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { playAttach, startFaultSite } from '../test/support/attachFaults/playAttach.ts';
import { judgeAttach, renderAttach } from '../test/support/attachFaults/renderAttach.ts';
import { playMatrix } from '../test/support/faultMatrix/playMatrix.ts';
import { judge, renderMatrix } from '../test/support/faultMatrix/renderMatrix.ts';
import { playRanges, startRangeSite } from '../test/support/rangeFaults/playRanges.ts';
import { judgeRange, renderRanges } from '../test/support/rangeFaults/renderRanges.ts';

// `npm run faults`: plays the fault tables against the built app and writes docs/faults.md, docs/uploadFaults.md and
// docs/attachFaults.md, or one of them: `npm run faults -- uploads`. Cells that are not as the requirements ask are named, and end it with 1.

const docs = join(import.meta.dirname, '..', 'docs');
const asked = process.argv.slice(2);
const faults: string[] = [];

if (asked.length === 0 || asked.includes('sessions')) {
  const observations = (await playMatrix()).flatMap((run) => run.observations);
  writeFileSync(join(docs, 'faults.md'), renderMatrix(observations));
  faults.push(...observations.flatMap(judge));
}
if (asked.length === 0 || asked.includes('uploads')) {
  const site = await startRangeSite();
  const { observations } = await playRanges(site);
  await site.close();
  writeFileSync(join(docs, 'uploadFaults.md'), renderRanges(observations));
  faults.push(...observations.flatMap(judgeRange));
}
if (asked.length === 0 || asked.includes('attach')) {
  const site = await startFaultSite();
  const observations = await playAttach(site);
  await site.close();
  writeFileSync(join(docs, 'attachFaults.md'), renderAttach(observations));
  faults.push(...observations.flatMap(judgeAttach));
}
for (const fault of faults) console.error(fault);
console.log(`${faults.length} cells are not as they should be`);
process.exitCode = faults.length === 0 ? 0 : 1;

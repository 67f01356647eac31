import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { playMatrix } from '../test/support/faultMatrix/playMatrix.ts';
import { judge, renderMatrix } from '../test/support/faultMatrix/renderMatrix.ts';

// `npm run faults`: plays the fault matrix against the built app and writes docs/faults.md.
// Cells that are not as the requirements ask are named, and end it with 1.

const observations = (await playMatrix()).flatMap((run) => run.observations);
writeFileSync(join(import.meta.dirname, '..', 'docs', 'faults.md'), renderMatrix(observations));
const faults = observations.flatMap(judge);
for (const fault of faults) console.error(fault);
console.log(`${observations.length} cells, ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;

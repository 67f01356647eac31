import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { startAzurite } from '../local/azurite.ts';
import { copyProduct, withUploads } from './apps.ts';
import { startBench } from './bench.ts';
import { measureTransferMemory, measureTransferTime } from './measureFiles.ts';
import { measureRequests } from './measureRequests.ts';
import { type Extent, readOptions, USAGE } from './options.ts';
import { renderReport } from './report.ts';
import type { Row } from './row.ts';

// `npm run bench`: see README.md in this folder.

const options = readOptions(process.argv.slice(2));
if (options === 'help') console.log(USAGE);
else await runBenchmark(options);

async function runBenchmark(extent: Extent): Promise<void> {
  const report = renderReport(await measureAll(extent), describeRun(extent));
  if (!extent.isQuick) writeFileSync(join(import.meta.dirname, 'results.md'), report);
  console.log(report);
}

/** A further measurement is one more function that returns rows. */
async function measureAll(extent: Extent): Promise<Row[]> {
  const product = copyProduct();
  const azurite = await startAzurite();
  const bench = await startBench();
  try {
    const withStorage = withUploads(product, azurite.connectionString);
    return [
      ...(await measureRequests(bench, product, extent)),
      ...(await measureTransferTime(bench, withStorage, extent)),
      ...(await measureTransferMemory(bench, withStorage, extent)),
    ];
  } finally {
    await bench.close();
    await azurite.stop();
    product.remove();
  }
}

function describeRun({ rounds, seconds, fileRounds, isQuick }: Extent): string[] {
  const memoryGib = Math.round(totalmem() / 2 ** 30);
  return [
    `Date: ${new Date().toISOString().slice(0, 10)}`,
    `Machine: ${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${memoryGib} GiB`,
    `Node: ${process.version}`,
    `Rounds: ${rounds} with ${seconds} s of load, ${fileRounds} with files${isQuick ? ' (quick)' : ''}`,
  ];
}

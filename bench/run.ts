import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { startAzurite } from '../local/azurite.ts';
import { copyProduct, withUploads } from './apps.ts';
import { startBench } from './bench.ts';
import { measureTransferMemory, measureTransferTime } from './measureFiles.ts';
import { measureRequests } from './measureRequests.ts';
import { type Extent, readOptions, USAGE } from './options.ts';
import { type RunInfo, renderReport } from './report.ts';
import type { Row } from './row.ts';

// `npm run bench`: see README.md in this folder.

const options = readOptions(process.argv.slice(2));
if (options === 'help') console.log(USAGE);
else await runBenchmark(options);

async function runBenchmark(extent: Extent): Promise<void> {
  const report = renderReport(await measureAll(extent), runInfo(extent));
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

function runInfo({ rounds, seconds, fileRounds, isQuick }: Extent): RunInfo {
  const memoryGib = Math.round(totalmem() / 2 ** 30);
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${memoryGib} GiB`,
    node: process.version,
    extent: `${isQuick ? 'quick, ' : ''}${rounds} rounds of ${seconds} s, ${fileRounds} of files`,
  };
}

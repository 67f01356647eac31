import { runChaos } from '../test/support/chaos.ts';
import { endWrongCall, readCommandLine } from './commandLine.ts';
import { runSoak } from './soak.ts';

const USAGE = `Usage: npm run stress -- soak [--seconds 60] [--connections 256] [--fuzz 100000]
       npm run stress -- chaos [--seconds 1200]`;

// `npm run stress -- soak`: load on the built app with an error of Graph on each tenth request, then generated requests.
// `npm run stress -- chaos`: jobs while a worker is killed every two seconds, Graph fails one call in ten, and the store restarts
// once; `--seconds` limits the run. Exits with 1 if a request or file was lost, hung or wrong, with 2 if the call is wrong.

const { values, positionals } = readCommandLine(USAGE, {
  seconds: { type: 'string' },
  connections: { type: 'string' },
  fuzz: { type: 'string' },
});

/** The jobs that did not end with their file attached exactly once, byte for byte, or whose progress went back. */
async function countChaosErrors(timeoutMs: number): Promise<number> {
  const { ends, ...summary } = await runChaos({
    jobs: 40,
    sizeBytes: 20_000_000,
    mailboxes: 10,
    workers: 3,
    killEveryMs: 2_000,
    restartStoreAfterMs: 5_000,
    failureRate: 0.1,
    timeoutMs,
    log: console.log,
  });
  console.log(JSON.stringify(summary));
  const wrong = ends.filter(({ status, count, isExact }) => status !== 201 || count !== 1 || !isExact);
  if (wrong.length > 0) {
    console.error(`${wrong.length} of ${ends.length} jobs did not attach their file once: ${JSON.stringify(wrong)}`);
  }
  return wrong.length + summary.wentBack;
}

const [command] = positionals;
if (positionals.length !== 1 || (command !== 'soak' && command !== 'chaos')) {
  endWrongCall('Choose soak or chaos');
} else {
  const seconds = Number(values.seconds ?? (command === 'chaos' ? 1200 : 60));
  const errors =
    command === 'chaos'
      ? await countChaosErrors(seconds * 1000)
      : await runSoak(seconds, Number(values.connections ?? 256), Number(values.fuzz ?? 100_000));
  process.exitCode = errors === 0 ? 0 : 1;
}

import { runChaos } from '../test/support/chaos.ts';

// `npm run chaos`: 40 jobs of 20 MB for 10 mailboxes; a worker is killed every two seconds, Graph fails one call in ten, the
// store is restarted once. Exits 1 unless every file is attached exactly once, byte for byte. Takes minutes.

const result = await runChaos({
  jobs: 40,
  sizeBytes: 20_000_000,
  mailboxes: 10,
  workers: 3,
  killEveryMs: 2_000,
  restartStoreAfterMs: 5_000,
  failureRate: 0.1,
  timeoutMs: 1_200_000,
  log: console.log,
});
const { ends, ...summary } = result;
console.log(JSON.stringify(summary));
const faulty = ends.filter(({ status, count, isExact }) => status !== 201 || count !== 1 || !isExact);
if (faulty.length > 0 || summary.wentBack > 0) {
  console.error(
    `${faulty.length} of ${ends.length} jobs did not end with their file attached once: ${JSON.stringify(faulty)}`,
  );
  process.exitCode = 1;
}

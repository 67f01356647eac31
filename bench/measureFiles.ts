import type { App } from './apps.ts';
import type { Bench, RunningApp } from './bench.ts';
import type { Extent } from './options.ts';
import type { Transfer } from './processes/messages.ts';
import { atMost, type Row, type Target } from './row.ts';

interface Timed extends Pick<Transfer, 'way' | 'isChunked'> {
  readonly title: string;
  readonly target?: Target;
}

const MIB = 1024 * 1024;
const TIMED: readonly Timed[] = [
  { title: 'attach', way: 'attach', isChunked: true, target: atMost(1.1) },
  { title: 'PUT of ranges, chunked', way: 'ranges', isChunked: true, target: atMost(1.25) },
  { title: 'PUT of ranges, Content-Length', way: 'ranges', isChunked: false },
];
const AT_ONCE: readonly { files: number; target?: Target }[] = [
  { files: 1 },
  { files: 8, target: atMost(128) },
  { files: 32 },
];

/** The rows of time compare each way of sending a file to the sender's own PUTs to the upload host. */
export async function measureTransferTime(bench: Bench, product: App, extent: Extent): Promise<Row[]> {
  const file = { fileBytes: extent.timedFileMib * MIB, files: 1 };
  const { host, uploadHost } = bench;
  const [straight = [], ...seconds] = await measureRounds('time', bench, product, extent, async () => {
    const round = [await bench.sendFiles({ ...file, way: 'straight', isChunked: false, server: uploadHost })];
    for (const timed of TIMED) round.push(await bench.sendFiles({ ...file, ...timed, server: host }));
    return round;
  });
  return TIMED.map(({ title, target }, index) => ({
    title: `${title}, ${extent.timedFileMib} MiB`,
    unit: 's',
    digits: 2,
    product: seconds[index] ?? [],
    peer: 'straight ranged PUTs',
    peerValues: straight,
    comparison: 'ratio',
    target,
  }));
}

/** The rows of memory compare the peak resident memory of the product's process to that after its first request. */
export async function measureTransferMemory(bench: Bench, product: App, extent: Extent): Promise<Row[]> {
  const file = { fileBytes: extent.memoryFileMib * MIB, way: 'attach', isChunked: true, server: bench.host } as const;
  const [idle = [], ...peaks] = await measureRounds('memory', bench, product, extent, async (running) => {
    const round = [(await running.usage()).peakMemoryMib];
    for (const { files } of AT_ONCE) {
      await bench.sendFiles({ ...file, files });
      round.push((await running.usage()).peakMemoryMib);
    }
    return round;
  });
  return AT_ONCE.map(({ files, target }, index) => ({
    title: `memory, ${files} attach of ${extent.memoryFileMib} MiB at once`,
    unit: 'MiB',
    digits: 0,
    product: peaks[index] ?? [],
    peer: 'product, idle',
    peerValues: idle,
    comparison: 'difference',
    target,
  }));
}

/** Measures a new process of the product in each round. Returns the values of all rounds for each value of a round. */
async function measureRounds(
  subject: string,
  bench: Bench,
  product: App,
  { fileRounds }: Extent,
  measure: (running: RunningApp) => Promise<number[]>,
): Promise<number[][]> {
  const rounds: number[][] = [];
  for (let round = 1; round <= fileRounds; round += 1) {
    console.error(`${subject} of transfers: round ${round} of ${fileRounds}`);
    const running = await bench.startApp(product);
    rounds.push(await measure(running).finally(running.end));
  }
  return (rounds[0] ?? []).map((_value, column) => rounds.map((values) => values[column] ?? Number.NaN));
}

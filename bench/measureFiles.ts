import type { App } from './apps.ts';
import type { Bench } from './bench.ts';
import type { Extent } from './options.ts';
import type { Transfer } from './processes/messages.ts';
import { atMost, type Row, type Target } from './row.ts';

type Sending = Pick<Transfer, 'way' | 'isChunked'>;

interface TimedSending extends Sending {
  readonly title: string;
  readonly target?: Target;
}

const MIB = 1024 * 1024;
const STRAIGHT: Sending = { way: 'straight', isChunked: false };
const ATTACH: Sending = { way: 'attach', isChunked: true };

const TIMED: readonly TimedSending[] = [
  { title: 'attach', ...ATTACH, target: atMost(1.1) },
  { title: 'PUT of ranges, chunked', way: 'ranges', isChunked: true, target: atMost(1.25) },
  { title: 'PUT of ranges, Content-Length', way: 'ranges', isChunked: false },
];

/** Files at once, with the target of the memory that they take. */
const AT_ONCE: readonly { files: number; target?: Target }[] = [
  { files: 1 },
  { files: 8, target: atMost(128) },
  { files: 32 },
];

/** The rows of time: each way of sending a file, beside the sender's own PUTs to the upload host. */
export async function measureTransferTime(bench: Bench, product: App, extent: Extent): Promise<Row[]> {
  const file = { fileBytes: extent.timedFileMib * MIB, files: 1 };
  const straight: number[] = [];
  const timed = TIMED.map((sending) => ({ sending, seconds: [] as number[] }));
  for (let round = 1; round <= extent.fileRounds; round += 1) {
    console.error(`transfer time: round ${round} of ${extent.fileRounds}`);
    const running = await bench.startApp(product);
    try {
      straight.push(await bench.sendFiles({ ...STRAIGHT, ...file, server: bench.uploadHost }));
      for (const { sending, seconds } of timed) {
        seconds.push(await bench.sendFiles({ ...sending, ...file, server: bench.host }));
      }
    } finally {
      await running.end();
    }
  }
  return timed.map(({ sending: { title, target }, seconds }) => ({
    title: `${title}, ${extent.timedFileMib} MiB`,
    unit: 's',
    digits: 2,
    product: seconds,
    peer: 'straight ranged PUTs',
    peerValues: straight,
    comparison: 'ratio',
    target,
  }));
}

/** The rows of memory: the largest resident set of the product's process, beside that after its first request. */
export async function measureTransferMemory(bench: Bench, product: App, extent: Extent): Promise<Row[]> {
  const idle: number[] = [];
  const measured = AT_ONCE.map((one) => ({ ...one, peakMib: [] as number[] }));
  for (let round = 1; round <= extent.fileRounds; round += 1) {
    console.error(`transfer memory: round ${round} of ${extent.fileRounds}`);
    const running = await bench.startApp(product);
    try {
      idle.push((await running.usage()).peakMemoryMib);
      for (const { files, peakMib } of measured) {
        const fileBytes = extent.memoryFileMib * MIB;
        await bench.sendFiles({ ...ATTACH, fileBytes, files, server: bench.host });
        peakMib.push((await running.usage()).peakMemoryMib);
      }
    } finally {
      await running.end();
    }
  }
  return measured.map(({ files, target, peakMib }) => ({
    title: `memory, ${files} attach of ${extent.memoryFileMib} MiB at once`,
    unit: 'MiB',
    digits: 0,
    product: peakMib,
    peer: 'product, idle',
    peerValues: idle,
    comparison: 'difference',
    target,
  }));
}

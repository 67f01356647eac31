import { type Azurite, startAzurite } from '../../local/azurite.ts';
import { MAX_CHUNK_BYTES } from '../../shared/common/limits.ts';
import { launchApp } from '../appProcess.ts';
import { type App, PIPE, READER } from '../apps.ts';
import { type Bench, startBench } from '../bench.ts';
import { type Child, startChild } from '../child.ts';
import type { Server, Transfer } from '../messages.ts';
import { isNginxInstalled, startNginx } from '../nginx.ts';
import type { BenchOptions } from '../options.ts';
import { median } from '../stats.ts';

/** What is sent: the way to the upload host, without who carries it. */
export interface Sending {
  readonly title: string;
  readonly way: 'ranges' | 'attach';
  readonly isChunked: boolean;
}

/** One round of one carrier. Figures of a process are missing where there is none. */
export interface BytesSample {
  readonly mbPerSecond: number;
  readonly cpuMsPerMb?: number;
  /** From the start of a request to its first byte at the upload host: the median of the round's requests. */
  readonly firstByteMs?: number;
}

export interface BytesResult {
  readonly host: string;
  readonly sending: Sending;
  readonly carrier: string;
  readonly samples: BytesSample[];
}

/** The largest resident set of an app that has sent so many files at once, one after another. */
export interface MemoryResult {
  readonly sending: Sending;
  readonly carrier: string;
  readonly peakMb: ReadonlyMap<number, number>;
}

export interface BytesResults {
  readonly speed: readonly BytesResult[];
  readonly memory: readonly MemoryResult[];
}

const FILE_BYTES = 60 * 1024 * 1024;

/** Eight ranges to a session: what a session itself costs, its record and its opening, is among the figures. */
const RANGES = 8;

export const SENDINGS: readonly Sending[] = [
  { title: 'PUT of 3.9 MB, Content-Length', way: 'ranges', isChunked: false },
  { title: 'PUT of 3.9 MB, chunked', way: 'ranges', isChunked: true },
  { title: 'attach of 63 MB, chunked', way: 'attach', isChunked: true },
];

/** Upload hosts: one that is never waited for, and one as far away as Outlook's. */
export const HOSTS = [
  { name: 'answers at once', args: ['0', '0'], repeats: 3 },
  { name: '300 ms a piece, 20 MB/s', args: ['300', '20000000'], repeats: 1 },
] as const;

export const AT_ONCE = [1, 8, 32] as const;

export const STRAIGHT = 'straight';

export async function measureBytes(product: App, options: BenchOptions): Promise<BytesResults> {
  const azurite = await startAzurite();
  const sender = startChild('bytes/load.ts', [], {});
  await sender.next('loadReady');
  const speed: BytesResult[] = [];
  const memory: MemoryResult[] = [];
  try {
    for (const host of HOSTS) {
      const bench = await startBench(host.args);
      try {
        const rounds = host.repeats === 1 ? options.growthRounds : options.rounds;
        speed.push(...(await measureSpeed({ bench, sender, azurite, product }, host, rounds)));
        if (host === HOSTS[0]) memory.push(...(await measureMemory({ bench, sender, azurite, product })));
      } finally {
        await bench.close();
      }
    }
    return { speed, memory };
  } finally {
    await Promise.all([sender.end(), azurite.stop()]);
  }
}

interface Parts {
  readonly bench: Bench;
  readonly sender: Child;
  readonly azurite: Azurite;
  readonly product: App;
}

/** Who carries the bytes, and how it is asked to. */
interface Carrier {
  readonly name: string;
  readonly server: Server;
  readonly wayOf: (sending: Sending) => Transfer['way'];
}

const WAYS: Readonly<Record<'product' | 'pipe' | 'straight', Carrier['wayOf']>> = {
  product: ({ way }: Sending) => way,
  pipe: ({ way }: Sending) => (way === 'ranges' ? 'putRanges' : 'putWhole'),
  straight: () => 'putRanges',
};

function appsOf({ product, azurite }: Parts): readonly App[] {
  const settings = { ...product.settings, UPLOAD_URL: 'proxy', AzureWebJobsStorage: azurite.connectionString };
  return [{ ...product, functions: ['uploadSession', 'zGraphPaths'], settings }, PIPE, READER];
}

function carrierOf({ bench, product }: Parts, { name }: App): Carrier {
  return { name, server: bench.host, wayOf: name === product.name ? WAYS.product : WAYS.pipe };
}

async function measureSpeed(parts: Parts, host: (typeof HOSTS)[number], rounds: number): Promise<BytesResult[]> {
  const { bench } = parts;
  const nginx = isNginxInstalled() ? await startNginx(bench.upstream) : undefined;
  const others: Carrier[] = [
    { name: STRAIGHT, server: { url: bench.upstream.graphUrl, pathPrefix: '' }, wayOf: WAYS.straight },
    ...(nginx === undefined
      ? []
      : [{ name: 'nginx', server: { url: nginx.url, pathPrefix: '/api' }, wayOf: WAYS.pipe }]),
  ];
  const results = new Map<string, BytesResult>();
  const keep = (sending: Sending, carrier: string, sample: BytesSample) => {
    const key = `${sending.title} ${carrier}`;
    const result = results.get(key) ?? { host: host.name, sending, carrier, samples: [] };
    results.set(key, result);
    result.samples.push(sample);
  };
  try {
    for (let round = 1; round <= rounds; round += 1) {
      console.error(`bytes, upload host ${host.name}: round ${round} of ${rounds}`);
      for (const app of appsOf(parts)) {
        const started = await launchApp(bench, app);
        const carrier = carrierOf(parts, app);
        try {
          for (const sending of SENDINGS) {
            if (host.repeats > 1) await sample(parts, carrier, sending, 1); // Warms.
            const before = await started.usage();
            const { megabytes, ...figures } = await sample(parts, carrier, sending, host.repeats);
            const after = await started.usage();
            keep(sending, app.name, { ...figures, cpuMsPerMb: (after.cpuMs - before.cpuMs) / megabytes });
          }
        } finally {
          await started.end();
        }
      }
      for (const carrier of others) {
        for (const sending of SENDINGS)
          keep(sending, carrier.name, await sample(parts, carrier, sending, host.repeats));
      }
    }
    return [...results.values()];
  } finally {
    await nginx?.close();
  }
}

async function measureMemory(parts: Parts): Promise<MemoryResult[]> {
  const results: MemoryResult[] = [];
  for (const sending of SENDINGS.filter(({ isChunked }) => isChunked)) {
    for (const app of appsOf(parts)) {
      console.error(`memory: ${sending.title}, ${app.name}`);
      const started = await launchApp(parts.bench, app);
      const peakMb = new Map<number, number>();
      try {
        for (const files of AT_ONCE) {
          await send(parts, carrierOf(parts, app), sending, files);
          peakMb.set(files, (await started.usage()).peakMemoryMb);
        }
      } finally {
        await started.end();
      }
      results.push({ sending, carrier: app.name, peakMb });
    }
  }
  return results;
}

/** Sends files one after another. */
async function sample(
  parts: Parts,
  carrier: Carrier,
  sending: Sending,
  repeats: number,
): Promise<BytesSample & { readonly megabytes: number }> {
  let seconds = 0;
  const firstBytesMs: number[] = [];
  for (let done = 0; done < repeats; done += 1) {
    await parts.bench.firstBytes();
    const sent = await send(parts, carrier, sending, 1);
    seconds += sent.seconds;
    const arrivedAt = await parts.bench.firstBytes();
    // A request may bring several pieces: the first that came after it began is its own.
    for (const startedAt of sent.startedAtEpochMs) {
      const first = arrivedAt.find((at) => at >= startedAt);
      if (first !== undefined) firstBytesMs.push(first - startedAt);
    }
  }
  const megabytes = (repeats * bytesOf(sending)) / 1_000_000;
  return {
    megabytes,
    mbPerSecond: megabytes / seconds,
    ...(firstBytesMs.length > 0 && { firstByteMs: median(firstBytesMs) }),
  };
}

/** Throws where a request failed: figures of a run with failures mean nothing. */
async function send({ sender }: Parts, { name, server, wayOf }: Carrier, sending: Sending, files: number) {
  const transfer = {
    server,
    way: wayOf(sending),
    fileBytes: bytesOf(sending),
    rangeBytes: MAX_CHUNK_BYTES,
    isChunked: sending.isChunked,
    files,
  };
  const sent = await sender.ask({ kind: 'send', transfer });
  if (sent.failures.length > 0) throw new Error(`${name}, ${sending.title}: ${sent.failures[0]}`);
  return sent;
}

function bytesOf({ way }: Sending): number {
  return way === 'ranges' ? RANGES * MAX_CHUNK_BYTES : FILE_BYTES;
}

import { type App, HELLO, PLAIN_BUILD, PLAIN_FORWARD } from './apps.ts';
import type { Bench } from './bench.ts';
import type { Extent } from './options.ts';
import { atLeast, atMost, type Row, type Target } from './row.ts';

/** One round of one app. */
type Sample = Readonly<
  Record<'loadMs' | 'firstResponseMs' | 'requestsPerSecond' | 'p50Ms' | 'cpuMs' | 'peakMemoryMib', number>
>;

interface Figure {
  readonly key: keyof Sample;
  readonly title: string;
  readonly unit: string;
  readonly digits: number;
  /** By the name of the peer. */
  readonly targets?: Readonly<Record<string, Target>>;
}

const CONNECTIONS = 32;
const PEERS = [HELLO, PLAIN_FORWARD, PLAIN_BUILD];

const FIGURES: readonly Figure[] = [
  { key: 'loadMs', title: 'load', unit: 'ms', digits: 0 },
  {
    key: 'firstResponseMs',
    title: 'load + first response',
    unit: 'ms',
    digits: 0,
    targets: { [PLAIN_FORWARD.name]: atMost(1.5) },
  },
  {
    key: 'requestsPerSecond',
    title: `requests, ${CONNECTIONS} connections`,
    unit: '1/s',
    digits: 0,
    targets: { [HELLO.name]: atLeast(0.72), [PLAIN_FORWARD.name]: atLeast(1.05) },
  },
  { key: 'p50Ms', title: 'p50, 1 connection', unit: 'ms', digits: 2 },
  { key: 'cpuMs', title: 'CPU per request', unit: 'ms', digits: 3, targets: { [PLAIN_BUILD.name]: atMost(0.6) } },
  { key: 'peakMemoryMib', title: 'peak memory', unit: 'MiB', digits: 0 },
];

/** The rows of createUploadSession. */
export async function measureRequests(bench: Bench, product: App, extent: Extent): Promise<Row[]> {
  const subjects = [product, ...PEERS].map((app) => ({ app, samples: [] as Sample[] }));
  for (const { app } of subjects) await (await bench.startApp(app)).end(); // Reads the files into the system's cache.
  for (let round = 1; round <= extent.rounds; round += 1) {
    console.error(`requests: round ${round} of ${extent.rounds}`);
    for (const { app, samples } of subjects) samples.push(await sampleApp(bench, app, extent));
  }
  const valuesOf = (app: App, key: keyof Sample) =>
    subjects.filter((subject) => subject.app === app).flatMap(({ samples }) => samples.map((sample) => sample[key]));
  return FIGURES.flatMap(({ key, targets, ...figure }) =>
    PEERS.map(
      (peer): Row => ({
        ...figure,
        product: valuesOf(product, key),
        peer: peer.name,
        peerValues: valuesOf(peer, key),
        comparison: 'ratio',
        target: targets?.[peer.name],
      }),
    ),
  );
}

/** Measures an app in a new process. */
async function sampleApp(bench: Bench, app: App, { seconds, warmUpRequests }: Extent): Promise<Sample> {
  const running = await bench.startApp(app);
  try {
    const many = { server: bench.host, connections: CONNECTIONS };
    await bench.runLoad({ ...many, length: { requests: warmUpRequests } });
    const before = await running.usage();
    const { requestsPerSecond } = await bench.runLoad({ ...many, length: { seconds } });
    const after = await running.usage();
    const { p50Ms } = await bench.runLoad({ server: bench.host, connections: 1, length: { seconds: seconds / 2 } });
    return {
      loadMs: running.loadMs,
      firstResponseMs: before.firstResponseMs,
      requestsPerSecond,
      p50Ms,
      cpuMs: (after.cpuMs - before.cpuMs) / (after.invocations - before.invocations),
      peakMemoryMib: after.peakMemoryMib,
    };
  } finally {
    await running.end();
  }
}

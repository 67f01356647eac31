import { startApp } from './appProcess.ts';
import type { App } from './apps.ts';
import type { Bench } from './bench.ts';
import type { Load, Server } from './messages.ts';
import type { BenchOptions } from './options.ts';

/** Everything that is measured in every round, with its unit. */
export const FIGURES = {
  loadMs: { title: 'load, ms', digits: 1 },
  firstResponseMs: { title: 'load + first, ms', digits: 0 },
  p50OneMs: { title: 'p50, 1 connection, ms', digits: 2 },
  p99OneMs: { title: 'p99, 1 connection, ms', digits: 2 },
  p50ManyMs: { title: 'p50, 32 connections, ms', digits: 1 },
  p99ManyMs: { title: 'p99, 32 connections, ms', digits: 1 },
  requestsPerSecond: { title: 'requests/s, 32 connections', digits: 0 },
  cpuMs: { title: 'CPU per request, ms', digits: 3 },
  peakMemoryMb: { title: 'peak memory, MB', digits: 0 },
} as const;

export type Figure = keyof typeof FIGURES;
/** One round of one subject; a server that is no app has no figures of a process. */
export type Sample = Readonly<Partial<Record<Figure, number>>>;

const MANY = 32;
const MAILBOXES = 1_000;

/** Measures an app in a fresh process. */
export async function sampleApp(bench: Bench, app: App, options: BenchOptions): Promise<Sample> {
  const started = await startApp(bench, app);
  try {
    const warm = await warmUp(bench, bench.host, options);
    const before = await started.usage();
    const many = await runMany(bench, warm, options);
    const after = await started.usage();
    return {
      loadMs: started.loadMs,
      firstResponseMs: started.firstResponseMs,
      ...(await runOne(bench, warm, options)),
      ...many,
      cpuMs: (after.cpuMs - before.cpuMs) / (after.answered - before.answered),
      peakMemoryMb: after.peakMemoryMb,
    };
  } finally {
    await started.end();
  }
}

/** Measures a server that is there already. */
export async function sampleServer(bench: Bench, server: Server, options: BenchOptions): Promise<Sample> {
  const warm = await warmUp(bench, server, options);
  const many = await runMany(bench, warm, options);
  return { ...(await runOne(bench, warm, options)), ...many };
}

type Warm = Omit<Load, 'connections' | 'length'>;

async function warmUp(bench: Bench, server: Server, { warmUpRequests }: BenchOptions): Promise<Warm> {
  const warm = { server, mailboxes: MAILBOXES };
  await bench.runLoad({ ...warm, connections: MANY, length: { requests: warmUpRequests } });
  return warm;
}

async function runMany(bench: Bench, warm: Warm, { seconds }: BenchOptions): Promise<Sample> {
  const { requestsPerSecond, p50Ms, p99Ms } = await bench.runLoad({ ...warm, connections: MANY, length: { seconds } });
  return { requestsPerSecond, p50ManyMs: p50Ms, p99ManyMs: p99Ms };
}

async function runOne(bench: Bench, warm: Warm, { seconds }: BenchOptions): Promise<Sample> {
  const length = { seconds: Math.ceil(seconds / 2) };
  const { p50Ms, p99Ms } = await bench.runLoad({ ...warm, connections: 1, length });
  return { p50OneMs: p50Ms, p99OneMs: p99Ms };
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApp } from './appProcess.ts';
import type { App } from './apps.ts';
import type { Bench } from './bench.ts';
import type { BenchOptions } from './options.ts';
import { MAILBOX_DOMAIN } from './request.ts';
import { median } from './stats.ts';

/** What one case of growth costs, as medians. */
export interface Cost {
  readonly name: string;
  readonly requestsPerSecond: number;
  readonly cpuMs: number;
  readonly peakMemoryMb: number;
}

export interface Growth {
  readonly connections: readonly Cost[];
  /** With few and with many. */
  readonly policy: readonly Cost[];
  readonly mailboxes: readonly Cost[];
}

interface Case {
  readonly name: string;
  readonly app: App;
  readonly connections: number;
  readonly mailboxes: number;
}

/** Measures how the product's cost grows; the cases of a round follow one another, so that drift hits all alike. */
export async function measureGrowth(bench: Bench, product: App, options: BenchOptions): Promise<Growth> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-policy-'));
  const base = { app: product, connections: 32, mailboxes: 1_000 };
  const connections = [1, 8, 32, 128, 512].map((count): Case => {
    return { ...base, name: `connections: ${count}`, connections: count };
  });
  const policy = [1, 1_000].map((count): Case => {
    const path = join(folder, `${count}.json`);
    writeFileSync(path, JSON.stringify(policyOf(count)));
    return { ...base, name: `policy entries: ${count}`, app: { ...product, settings: { POLICY_FILE: path } } };
  });
  const mailboxes = [10, 10_000].map((count): Case => ({ ...base, name: `mailboxes: ${count}`, mailboxes: count }));
  try {
    const costs = await measureCases(bench, [...connections, ...policy, ...mailboxes], options);
    const of = (cases: readonly Case[]) => costs.filter(({ name }) => cases.some((one) => one.name === name));
    return { connections: of(connections), policy: of(policy), mailboxes: of(mailboxes) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureCases(bench: Bench, cases: readonly Case[], options: BenchOptions): Promise<Cost[]> {
  const rounds: Cost[][] = [];
  for (let round = 0; round < options.growthRounds; round += 1) {
    const costs: Cost[] = [];
    for (const one of cases) costs.push(await measureCase(bench, one, options));
    rounds.push(costs);
  }
  return cases.map(({ name }, index) => {
    const of = (figure: 'requestsPerSecond' | 'cpuMs' | 'peakMemoryMb') =>
      median(rounds.map((costs) => costs[index]?.[figure] ?? Number.NaN));
    return {
      name,
      requestsPerSecond: of('requestsPerSecond'),
      cpuMs: of('cpuMs'),
      peakMemoryMb: of('peakMemoryMb'),
    };
  });
}

async function measureCase(bench: Bench, one: Case, options: BenchOptions): Promise<Cost> {
  const app = await startApp(bench, one.app);
  try {
    const load = { server: bench.host, connections: one.connections, mailboxes: one.mailboxes };
    await bench.runLoad({ ...load, length: { requests: options.warmUpRequests } });
    const before = await app.usage();
    const { requestsPerSecond } = await bench.runLoad({ ...load, length: { seconds: options.seconds } });
    const after = await app.usage();
    return {
      name: one.name,
      requestsPerSecond,
      cpuMs: (after.cpuMs - before.cpuMs) / (after.answered - before.answered),
      peakMemoryMb: after.peakMemoryMb,
    };
  } finally {
    await app.end();
  }
}

/** As many callers, of which the last is the one that calls; it may reach as many mailboxes, named one by one. */
function policyOf(entries: number): object {
  const kinds = ['message', 'event'];
  const strangers = Array.from({ length: entries - 1 }, (_none, index) => ({
    name: `Caller ${index}`,
    appId: `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`,
    mailboxes: [`caller${index}@${MAILBOX_DOMAIN}`],
    kinds,
  }));
  const named = Array.from({ length: entries }, (_none, index) => `user${index}@${MAILBOX_DOMAIN}`);
  const mailboxes = entries === 1 ? [`*@${MAILBOX_DOMAIN}`] : named;
  return { callers: [...strangers, { name: 'Bench', functionKey: true, mailboxes, kinds }] };
}

import { setTimeout as delay } from 'node:timers/promises';
import { runFuzz } from '../../test/support/fuzz/runFuzz.ts';
import { residentMebibytes } from '../../test/support/residentMemory.ts';
import { startSite } from '../../test/support/site.ts';
import { BUDGET_MS, runLoad } from './load.ts';

export interface SoakOptions {
  readonly seconds: number;
  readonly connections: number;
  /** The number of generated requests after the load. */
  readonly fuzz: number;
}

/** Graph's limit. */
const MAX_IN_FLIGHT = 4;
const MAX_PRINTED = 10;

/** Returns the number of requests that were lost, hung or answered wrongly, and prints the first of each. */
export async function runSoak({ seconds, connections, fuzz }: SoakOptions): Promise<number> {
  const loadErrors = await runUnderLoad(seconds, connections);
  return loadErrors + (fuzz > 0 ? await runGenerated(fuzz) : 0);
}

async function runUnderLoad(seconds: number, connections: number): Promise<number> {
  const site = await startSite({
    settings: { ALLOW_ANY_MAILBOX: 'true', REQUEST_TIMEOUT_MS: String(BUDGET_MS) },
    graph: { anyItem: true, latencyMs: 20, recordLimit: 0 },
    identity: { lifetimeSeconds: 40 }, // So that tokens are renewed under load.
  });
  try {
    const warmUpSeconds = Math.round(seconds / 3);
    const warm = delay(warmUpSeconds * 1000).then(() => residentMebibytes(site.host.workerPid));
    const report = await runLoad(site.url, connections, seconds);
    const memory = [await warm, await residentMebibytes(site.host.workerPid)].map((mebibytes) => mebibytes.toFixed(1));

    console.log(`${report.answered} responses over ${connections} connections in ${seconds} s:`);
    for (const [outcome, times] of [...report.outcomes].sort()) console.log(`  ${times} × ${outcome}`);
    const most = site.graph.maxConcurrentPerMailbox;
    const errors =
      print('lost', report.lost) +
      print('hung', report.hung) +
      print('wrong', report.wrong) +
      print('in flight per mailbox beyond four', most > MAX_IN_FLIGHT ? [String(most)] : []);
    console.log(`most in flight per mailbox: ${most}; tokens fetched: ${site.identity.requests.length}`);
    console.log(`worker memory: ${memory[0]} MiB after ${warmUpSeconds} s, ${memory[1]} MiB at the end`);
    return errors;
  } finally {
    await site.close();
  }
}

async function runGenerated(total: number): Promise<number> {
  const seed = Date.now() % 2 ** 30;
  let errors = 0;
  for (const reach of ['any', 'meOnly'] as const) {
    const report = await runFuzz({ count: total / 2, reach, seed });
    console.log(`fuzz (${reach}, seed ${seed}): ${report.requests} requests, ${report.upstreamCalls} calls to Graph`);
    console.log(`  ${JSON.stringify(report.statuses)}`);
    errors += print('5xx, lost, or beyond the named item', report.faults);
  }
  return errors;
}

function print(what: string, found: readonly string[]): number {
  console.log(`${what}: ${found.length}`);
  for (const one of found.slice(0, MAX_PRINTED)) console.log(`  ${one}`);
  return found.length;
}

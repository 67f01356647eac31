import { parseArgs } from 'node:util';
import { runFuzz } from '../test/support/fuzz/runFuzz.ts';
import { startSite } from '../test/support/site.ts';
import { runLoad } from './soak/load.ts';
import { watchMemory } from './soak/memory.ts';
import { BUDGET_MS } from './soak/plan.ts';

// `npm run soak [-- --seconds 60 --connections 256 --fuzz 100000]`: the built app under load with a fault on each tenth
// request, then generated requests of any form. Ends with 1 where a request was lost, hung or answered wrongly.

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    connections: { type: 'string', default: '256' },
    fuzz: { type: 'string', default: '100000' },
  },
});
const seconds = Number(values.seconds);
const connections = Number(values.connections);
/** Graph's limit. */
const MAX_IN_FLIGHT = 4;
const SHOWN = 10;

let faults = 0;

function count(what: string, found: readonly string[]): void {
  faults += found.length;
  console.log(`${what}: ${found.length}`);
  for (const one of found.slice(0, SHOWN)) console.log(`  ${one}`);
}

async function load(): Promise<void> {
  const site = await startSite({
    settings: { ALLOW_ANY_MAILBOX: 'true', REQUEST_TIMEOUT_MS: String(BUDGET_MS) },
    graph: { anyItem: true, latencyMs: 20, recordLimit: 0 },
    identity: { lifetimeSeconds: 40 }, // So that tokens are renewed under load.
  });
  try {
    const memory = watchMemory(site.host.workerPid);
    const report = await runLoad({ url: site.url, connections, seconds });
    const { afterWarmUp, atEnd, slopePerMinute } = memory.end(seconds / 3);

    console.log(`${report.answered} answers over ${connections} connections in ${seconds} s:`);
    for (const [outcome, times] of [...report.outcomes].sort()) console.log(`  ${times} × ${outcome}`);
    count('lost', report.lost);
    count('hung', report.hung);
    count('wrong', report.wrong);
    const most = site.graph.maxConcurrentPerMailbox;
    count('in flight per mailbox beyond four', most > MAX_IN_FLIGHT ? [String(most)] : []);
    console.log(`most in flight per mailbox: ${most}; tokens fetched: ${site.identity.requests.length}`);
    console.log(
      `worker memory: ${afterWarmUp.toFixed(1)} MiB after the warm-up of ${Math.round(seconds / 3)} s, ` +
        `${atEnd.toFixed(1)} MiB at the end, slope ${slopePerMinute.toFixed(2)} MiB a minute`,
    );
  } finally {
    await site.close();
  }
}

async function fuzz(total: number): Promise<void> {
  const seed = Date.now() % 2 ** 30;
  for (const reach of ['any', 'meOnly'] as const) {
    const report = await runFuzz({ count: total / 2, reach, seed });
    console.log(`fuzz (${reach}, seed ${seed}): ${report.requests} requests, ${report.upstreamCalls} calls to Graph`);
    console.log(`  ${JSON.stringify(report.statuses)}`);
    count('5xx, lost, or beyond the named item', report.faults);
  }
}

await load();
if (Number(values.fuzz) > 0) await fuzz(Number(values.fuzz));
process.exitCode = faults === 0 ? 0 : 1;

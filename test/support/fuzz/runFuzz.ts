import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { ADELE } from '../../../local/emulators/graph/seed.ts';
import { type Site, startSite } from '../site.ts';
import { type FuzzRequest, fuzzRequest } from './arbitraries.ts';
import { judgeUpstream, type Reach } from './judgeUpstream.ts';
import { createFuzzClient } from './sendFuzz.ts';

export interface FuzzReport {
  readonly requests: number;
  readonly upstreamCalls: number;
  /** How often each status was answered. */
  readonly statuses: Readonly<Record<number, number>>;
  /** One sentence per fault, with the request that shows it. */
  readonly faults: readonly string[];
}

export interface FuzzOptions {
  readonly count: number;
  readonly reach: Reach;
  /** The same seed gives the same requests. */
  readonly seed: number;
}

const CHUNK = 1000;
const CONNECTIONS = 32;

/** Sends generated requests to its own site and looks at every answer and at every call to Graph. */
export async function runFuzz({ count, reach, seed }: FuzzOptions): Promise<FuzzReport> {
  const site = await startSite({
    settings: { REQUEST_TIMEOUT_MS: '60000', ...(reach === 'any' && { ALLOW_ANY_MAILBOX: 'true' }) },
    graph: { anyItem: true, appOnlyFamilies: 'all' },
  });
  const client = createFuzzClient(site.api, CONNECTIONS);
  const statuses: Record<number, number> = {};
  const faults: string[] = [];
  let upstreamCalls = 0;

  async function play(request: FuzzRequest, id: string): Promise<void> {
    try {
      const { status, text } = await client.send(request, id);
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (status >= 500) faults.push(`${status} ${text.slice(0, 300)} for ${describe(request)}`);
    } catch (error) {
      faults.push(`no answer (${String(error)}) for ${describe(request)}`);
    }
  }

  try {
    for (let done = 0; done < count; done += CHUNK) {
      const numRuns = Math.min(CHUNK, count - done);
      const requests = fc.sample(fuzzRequest, { seed: seed + done, numRuns });
      const byId = new Map(requests.map((request) => [randomUUID() as string, request]));
      const waiting = [...byId];
      const connection = async () => {
        for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await play(next[1], next[0]);
      };
      await Promise.all(Array.from({ length: CONNECTIONS }, connection));
      upstreamCalls += site.graph.requests.length;
      faults.push(...judgeCalls(site, byId, reach));
      site.graph.reset();
    }
  } finally {
    client.close();
    await site.close();
  }
  return { requests: count, upstreamCalls, statuses, faults };
}

function judgeCalls({ graph }: Site, byId: ReadonlyMap<string, FuzzRequest>, reach: Reach): string[] {
  return graph.requests.flatMap((call) => {
    const request = byId.get(String(call.headers['client-request-id']));
    if (request === undefined) return [`${call.path} belongs to no request`];
    if (request.method !== 'POST') return [`${request.method} led to ${call.path}`];
    return judgeUpstream(call, request.path, reach, ADELE.userPrincipalName);
  });
}

function describe({ method, path, headers, body }: FuzzRequest): string {
  return `${method} ${path} ${JSON.stringify(headers)} ${JSON.stringify(Buffer.from(body).toString('latin1').slice(0, 200))}`;
}

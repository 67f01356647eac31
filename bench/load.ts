import autocannon from 'autocannon';
import { listenToParent, tellParent } from './listenToParent.ts';
import type { Load, LoadResult } from './messages.ts';
import { createRequestMaker } from './request.ts';
import { percentile } from './stats.ts';

// A process of its own: generates the load with autocannon.

/** Latencies are kept one by one: autocannon's own histogram counts in whole milliseconds. */
async function run(load: Load): Promise<LoadResult> {
  const { body, headers, nextPath } = createRequestMaker(load.server.pathPrefix, load.mailboxes);
  const instance = autocannon({
    url: load.server.url,
    connections: load.connections,
    ...('seconds' in load.length ? { duration: load.length.seconds } : { amount: load.length.requests }),
    sampleInt: 100, // How often it looks whether the load has ended, in ms.
    requests: [
      {
        method: 'POST',
        headers,
        body,
        setupRequest(request) {
          request.path = nextPath();
          return request;
        },
      },
    ],
  });
  const latenciesMs: number[] = [];
  instance.on('response', (_client: unknown, _status: number, _bytes: number, ms: number) => latenciesMs.push(ms));
  const result = await instance;
  latenciesMs.sort((a, b) => a - b);
  return {
    requestsPerSecond: result['2xx'] / result.duration,
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    failures: result.non2xx + result.errors + result.timeouts,
  };
}

listenToParent(async (question) => {
  if (question.kind !== 'run') throw new Error(`The load generator cannot answer "${question.kind}".`);
  return { kind: 'run', ...(await run(question.load)) };
});
tellParent({ kind: 'loadReady' });

import autocannon from 'autocannon';
import { median } from '../stats.ts';
import { listenToParent, tellParent } from './listenToParent.ts';
import type { Load, LoadResult } from './messages.ts';
import { HEADERS, nextMessagePath, SESSION_BODY } from './requests.ts';
import { sendFiles } from './sendFiles.ts';

// The process that calls the apps: many small requests with autocannon, or files. It fails if a request fails, because a run
// with failures measures something else.

/** Records each latency, because autocannon's histogram counts in whole milliseconds. */
async function runLoad({ server, connections, length }: Load): Promise<LoadResult> {
  const setupRequest = (request: { path: string }) => {
    request.path = `${server.pathPrefix}${nextMessagePath()}/attachments/createUploadSession`;
    return request;
  };
  const instance = autocannon({
    url: server.url,
    connections,
    ...('seconds' in length ? { duration: length.seconds } : { amount: length.requests }),
    sampleInt: 100, // The interval at which it checks for the end, in ms.
    requests: [{ method: 'POST', headers: HEADERS, body: SESSION_BODY, setupRequest }],
  });
  const latenciesMs: number[] = [];
  instance.on('response', (_client: unknown, _status: number, _bytes: number, ms: number) => latenciesMs.push(ms));
  const result = await instance;
  const failures = result.non2xx + result.errors + result.timeouts;
  if (failures > 0) throw new Error(`${failures} requests failed at ${connections} connections.`);
  return { requestsPerSecond: result['2xx'] / result.duration, p50Ms: median(latenciesMs) };
}

listenToParent(async (command) => {
  if (command.kind === 'load') return { kind: 'load', ...(await runLoad(command.load)) };
  if (command.kind === 'send') return { kind: 'send', seconds: await sendFiles(command.transfer) };
  throw new Error(`The load generator does not know "${command.kind}".`);
});
tellParent({ kind: 'loadReady' });

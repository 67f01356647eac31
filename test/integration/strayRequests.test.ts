import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { MATCH_TIMEOUT_MS } from '../../shared/common/limits.ts';
import { watchLiveHeap } from '../support/liveHeap.ts';
import { type RawAnswer, sendRaw } from '../support/probeApp/sendRaw.ts';
import { runs } from '../support/runs.ts';
import { ATTACHMENT_ITEM, graphErrorBody, postJson, type Site, startSite } from '../support/site.ts';

/**
 * Requests whose invocation and HTTP request never meet in the worker: the caller sent an `x-ms-invocation-id`, or a header
 * that the host cannot forward. Unmatched, they would hang until the host ends the worker (host-measured).
 */
const TARGET = `/api/me/messages/${ADELE.items.message[0]}/attachments/createUploadSession`;
const GUID_OF_THE_CALLER = '3c5a7e90-1b2d-4f68-8a9c-0d1e2f3a4b5c';
const SLOW_GRAPH_MS = 1_000;
const STRAYS = runs(300, 1_000);
const AT_ONCE = 100;
/** An unmatched request that stayed would take more than 1,000 bytes. */
const MAX_GROWTH_BYTES = 500 * STRAYS;

const heap = watchLiveHeap();
let site: Site;
let workerPid: number;

beforeAll(async () => {
  site = await startSite({ graph: { latencyMs: SLOW_GRAPH_MS }, settings: { NODE_OPTIONS: heap.nodeOptions } });
  ({ workerPid } = site.host);
});
afterAll(async () => {
  await site.close();
  heap.remove();
});

function sendWithId(id: string, body = JSON.stringify(ATTACHMENT_ITEM)): Promise<RawAnswer> {
  return sendRaw(site.url, {
    method: 'POST',
    target: TARGET,
    headers: [...['x-ms-invocation-id', id], 'Content-Type', 'application/json', 'Transfer-Encoding', 'chunked'],
    body: Buffer.from(body),
  });
}

/** Node's client would refuse to send the header. */
async function sendUtf8Header(): Promise<string> {
  const socket = connect(Number(new URL(site.url).port), '127.0.0.1');
  socket.write(
    Buffer.from('GET /api/health HTTP/1.1\r\nHost: localhost\r\nx-name: Müller\r\nConnection: close\r\n\r\n'),
  );
  return text(socket);
}

async function unmatchedRequests(): Promise<number> {
  const response = await fetch(`${site.api}/health/ready`);
  const readiness: unknown = await response.json();
  return Number(Reflect.get(Object(readiness), 'unmatchedRequests'));
}

/** Both sides of each unmatched request are given up within the time for pairing. */
async function settled(count: number): Promise<number> {
  const end = performance.now() + 6 * MATCH_TIMEOUT_MS;
  for (;;) {
    const unmatched = await unmatchedRequests();
    if (unmatched >= count || performance.now() > end) return unmatched;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

test("answers a request with the caller's own invocation id, and harms no other", async () => {
  const other = postJson(`${site.url}${TARGET}`);
  const [word, guid, twice, large] = await Promise.all([
    sendWithId('zzz'),
    sendWithId(GUID_OF_THE_CALLER),
    sendWithId(GUID_OF_THE_CALLER),
    sendWithId('zzz', ' '.repeat(5_000_000)),
  ]);

  for (const { status, text, headers } of [word, guid, twice, large]) {
    expect([status, JSON.parse(text)]).toEqual([400, graphErrorBody('InvalidRequest')]);
    expect(headers['request-id']).not.toBe(GUID_OF_THE_CALLER);
  }
  expect((await other).status).toBe(201);
  expect(site.lines.some(({ message }) => message.includes(GUID_OF_THE_CALLER))).toBe(false);
});

test("gives the platform's own answer to a header in UTF-8, and harms no other", async () => {
  const other = postJson(`${site.url}${TARGET}`);
  const answer = await sendUtf8Header();

  expect(answer).toMatch(/^HTTP\/1\.1 500 /);
  expect(answer).toMatch(/\r\n\r\n$/);
  expect((await other).status).toBe(201);
  await site.findEvent('unmatchedInvocation');
});

test("does not hold up what comes after it on the caller's connection", async () => {
  const socket = connect(Number(new URL(site.url).port), '127.0.0.1');
  const startedAt = performance.now();
  socket.write(
    'GET /api/health HTTP/1.1\r\nHost: localhost\r\nx-ms-invocation-id: mine\r\n\r\n' +
      'GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  );
  const statuses = (await text(socket)).match(/(?<=HTTP\/1\.1 )\d+/g);

  expect(statuses).toEqual(['400', '200']);
  expect(performance.now() - startedAt).toBeLessThan(MATCH_TIMEOUT_MS);
});

async function sendStrays(count: number): Promise<void> {
  const known = await settled(0);
  for (let sent = 0; sent < count; sent += AT_ONCE) {
    const statuses = await Promise.all(
      Array.from({ length: AT_ONCE }, async (_, n) => (await sendWithId(`stray-${sent + n}`)).status),
    );
    expect(statuses).toEqual(Array(AT_ONCE).fill(400));
  }
  expect(await settled(known + 2 * count)).toBe(known + 2 * count);
}

test(`gathers nothing over ${STRAYS} strays`, async () => {
  await sendStrays(2 * AT_ONCE);
  const before = await heap.snapshotBytes(workerPid);

  await sendStrays(STRAYS);

  const growth = (await heap.snapshotBytes(workerPid)) - before;
  process.stdout.write(`${STRAYS} unmatched requests: the snapshot of the worker's heap grew by ${growth} bytes\n`);
  expect(growth).toBeLessThan(MAX_GROWTH_BYTES);
  expect((await postJson(`${site.url}${TARGET}`)).status).toBe(201);
  expect(site.host.workerPid).toBe(workerPid);
});

import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { RecordedRequest } from '../../local/emulators/graph/requestLog.ts';
import { ATTACHMENT_ITEM, type Site, startSite } from '../support/site.ts';
import { until } from '../support/until.ts';

/** The aim is 100 ms. What is not aborted hangs until then. */
const REQUEST_TIMEOUT_MS = 20_000;
const MAILBOX = 'adele@contoso.example';

let site: Site;

beforeAll(async () => {
  site = await startSite({
    settings: { ALLOW_ANY_MAILBOX: 'true', REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS) },
    graph: { anyItem: true },
  });
});
afterAll(() => site.close());
afterEach(() => site.graph.reset());

/** Sends the request, or all of it but its last byte, and gives back what hangs up. */
function call(itemId: string, isWhole = true): () => void {
  const body = JSON.stringify(ATTACHMENT_ITEM);
  const outgoing = request(
    `${site.api}/users/${MAILBOX}/messages/${encodeURIComponent(itemId)}/attachments/createUploadSession`,
    { method: 'POST', agent: false, headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' } },
  );
  outgoing.on('error', () => {}); // The test hangs up itself.
  if (isWhole) outgoing.end(body);
  else outgoing.write(body.slice(0, -1)); // Chunked: of a body with a length the host says nothing before it is whole.
  return () => outgoing.destroy();
}

/** What was sent before is with the app: it has taken and answered two requests that came later. */
async function reachesApp(): Promise<void> {
  for (let n = 0; n < 2; n += 1) await (await fetch(`${site.api}/health`)).arrayBuffer();
  await delay(200);
}

async function untilDisconnected(count: number): Promise<void> {
  await until(`${count} callers gone`, () => disconnects() === count);
}

function callsFor(itemId: string): readonly RecordedRequest[] {
  return site.graph.requests.filter(({ path }) => path.includes(encodeURIComponent(itemId)));
}

function disconnects(): number {
  return site.events('request').filter(({ code }) => code === 'CallerDisconnected').length;
}

test.each(['hangBeforeHeaders', 'hangInBody'])(
  'aborts the call to Graph when the caller hangs up (%s)',
  async (fault) => {
    const itemId = `error=${fault}`;
    const before = disconnects();
    const hangUp = call(itemId);
    const upstream = await until('the call to Graph', () => callsFor(itemId)[0]);
    await delay(50); // For hangInBody: the half of the body is there.

    const hungUpAt = Date.now();
    hangUp();
    const abortedAt = await until('its end', () => upstream.abortedAt);
    await untilDisconnected(before + 1);

    process.stdout.write(`${fault}: aborted upstream ${abortedAt - hungUpAt} ms after the caller hung up\n`);
    expect(abortedAt - hungUpAt).toBeLessThan(REQUEST_TIMEOUT_MS / 2);
    expect(site.events('request').at(-1)).toMatchObject({ code: 'CallerDisconnected', status: 499, attempts: 1 });
  },
);

test('sends no further attempt when the caller hangs up during the wait for one', async () => {
  const itemId = 'error=status503;retry-after=3';
  const before = disconnects();
  const hangUp = call(itemId);
  await until('a first answer of Graph', () => callsFor(itemId)[0]?.status);
  await delay(100);

  hangUp();
  await untilDisconnected(before + 1);
  await delay(3500); // The second attempt would have come after three seconds and a quarter at most.

  expect(callsFor(itemId)).toHaveLength(1);
});

test('frees the place in the queue when the caller hangs up', async () => {
  const before = disconnects();
  const holders = Array.from({ length: 4 }, (_, n) => call(`error=hangBeforeHeaders;nonce=holder${n}`));
  await until('four calls to Graph', () => site.graph.requests.length === 4);
  const waiter = call('waits-and-leaves');
  call('waits-and-stays');
  await reachesApp();

  waiter();
  await untilDisconnected(before + 1);
  holders[0]?.();
  await until('the answer to the one that stays', () => callsFor('waits-and-stays')[0]?.status);
  for (const hangUp of holders) hangUp();
  await untilDisconnected(before + 5);

  expect(callsFor('waits-and-leaves')).toEqual([]);
  expect(
    site.events('request').filter(({ code, attempts }) => code === 'CallerDisconnected' && attempts === 0),
  ).toHaveLength(1);
});

test('asks nothing of Graph for a body that breaks off', async () => {
  const before = disconnects();
  const hangUp = call('broken-body', false);
  await reachesApp();

  hangUp();
  await untilDisconnected(before + 1);

  expect(callsFor('broken-body')).toEqual([]);
});

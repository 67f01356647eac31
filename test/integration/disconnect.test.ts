import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { RecordedRequest } from '../../local/emulators/requestLog.ts';
import { ATTACHMENT_ITEM, type Site, startSite } from '../support/site.ts';

/** The aim is 100 ms. A busy machine runs the caller, the host, the app and Graph on the same cores. */
const BUSY_MACHINE_MS = 1000;
const MAILBOX = 'adele@contoso.example';

let site: Site;

beforeAll(async () => {
  site = await startSite({
    settings: { ALLOW_ANY_MAILBOX: 'true', REQUEST_TIMEOUT_MS: '20000' },
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

async function until<T>(look: () => T | undefined): Promise<T> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const found = look();
    if (found !== undefined) return found;
    await delay(5);
  }
  throw new Error('It did not come about within five seconds.');
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
    const itemId = `fault=${fault}`;
    const before = disconnects();
    const hangUp = call(itemId);
    const upstream = await until(() => callsFor(itemId)[0]);
    await delay(50); // For hangInBody: the half of the body is there.

    const hungUpAt = Date.now();
    hangUp();
    const abortedAt = await until(() => upstream.abortedAt);
    await until(() => (disconnects() > before ? true : undefined));

    process.stdout.write(`${fault}: aborted upstream ${abortedAt - hungUpAt} ms after the caller hung up\n`);
    expect(abortedAt - hungUpAt).toBeLessThan(BUSY_MACHINE_MS);
    expect(site.events('request').at(-1)).toMatchObject({ code: 'CallerDisconnected', status: 499, attempts: 1 });
  },
);

test('sends no further attempt when the caller hangs up during the wait for one', async () => {
  const itemId = 'fault=status503;retry-after=1';
  const before = disconnects();
  const hangUp = call(itemId);
  await until(() => callsFor(itemId)[0]?.status);
  await delay(100);

  hangUp();
  await until(() => (disconnects() > before ? true : undefined));
  await delay(1500); // The second attempt would have come after one second and a quarter at most.

  expect(callsFor(itemId)).toHaveLength(1);
});

test('frees the place in the queue when the caller hangs up', async () => {
  const before = disconnects();
  const holders = Array.from({ length: 4 }, (_, n) => call(`fault=hangBeforeHeaders;nonce=holder${n}`));
  await until(() => (site.graph.requests.length === 4 ? true : undefined));
  const waiter = call('waits-and-leaves');
  call('waits-and-stays');
  await delay(200);

  waiter();
  await until(() => (disconnects() === before + 1 ? true : undefined));
  holders[0]?.();
  await until(() => callsFor('waits-and-stays')[0]?.status);
  for (const hangUp of holders) hangUp();
  await until(() => (disconnects() === before + 5 ? true : undefined));

  expect(callsFor('waits-and-leaves')).toEqual([]);
  expect(
    site.events('request').filter(({ code, attempts }) => code === 'CallerDisconnected' && attempts === 0),
  ).toHaveLength(1);
});

test('asks nothing of Graph for a body that breaks off', async () => {
  const before = disconnects();
  const hangUp = call('broken-body', false);
  await delay(200);

  hangUp();
  await until(() => (disconnects() > before ? true : undefined));

  expect(callsFor('broken-body')).toEqual([]);
});

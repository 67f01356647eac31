import { setTimeout as delay } from 'node:timers/promises';
import type { SiteOptions } from '../../local/emulatedSite.ts';
import { ATTACHMENT_ITEM, expectGraphError, postJson, type Site, startSite } from '../support/site.ts';
import { until } from '../support/until.ts';

/** Graph's own limit: learn.microsoft.com/graph/throttling-limits, Outlook service limits. */
const MAX_IN_FLIGHT = 4;

async function withSite(
  { settings, graph }: Pick<SiteOptions, 'settings' | 'graph'>,
  use: (site: Site) => Promise<void>,
): Promise<void> {
  const site = await startSite({
    settings: { ALLOW_ANY_MAILBOX: 'true', ...settings },
    graph: { anyItem: true, ...graph },
  });
  try {
    await openSession(site, 'warm@contoso.example', 'warm');
    site.graph.reset();
    await use(site);
  } finally {
    await site.close();
  }
}

function openSession(site: Site, mailbox: string, itemId: string): Promise<Response> {
  return postJson(`${site.api}/users/${mailbox}/messages/${itemId}/attachments/createUploadSession`);
}

function openMany(site: Site, mailbox: string, count: number): Promise<Response>[] {
  return Array.from({ length: count }, (_, n) => openSession(site, mailbox, `${mailbox.split('@')[0]}-${n}`));
}

/** The item ids in the order in which Graph was asked. */
function itemsAtGraph({ graph }: Site): string[] {
  return graph.requests.map(({ path }) => /\/messages\/([^/]+)\//.exec(path)?.[1] ?? '');
}

/** Calls to Graph that hang until the caller leaves. */
async function hold(site: Site, mailbox: string, count: number): Promise<() => void> {
  const caller = new AbortController();
  const before = site.graph.requests.length;
  for (let n = 0; n < count; n += 1) {
    const itemId = encodeURIComponent(`error=hangBeforeHeaders;nonce=${crypto.randomUUID()}`);
    const url = `${site.api}/users/${mailbox}/messages/${itemId}/attachments/createUploadSession`;
    const body = JSON.stringify(ATTACHMENT_ITEM);
    const headers = { 'content-type': 'application/json' };
    fetch(url, { method: 'POST', headers, body, signal: caller.signal }).catch(() => {});
  }
  await until('the calls that hang', () => site.graph.requests.length === before + count);
  return () => caller.abort();
}

/** What was sent before is with the app: it has answered a request that came later. */
async function reachesApp({ api }: Site): Promise<void> {
  await (await fetch(`${api}/health`)).arrayBuffer();
  await delay(50);
}

test('keeps at most four requests per mailbox in flight and answers all of 40', async () => {
  await withSite({ graph: { latencyMs: 60 } }, async (site) => {
    const responses = await Promise.all(openMany(site, 'adele@contoso.example', 40));

    expect(responses.map(({ status }) => status)).toEqual(Array(40).fill(201));
    expect(site.graph.maxConcurrentPerMailbox).toBe(MAX_IN_FLIGHT);
  });
});

test('counts a mailbox in any letter case as one', async () => {
  await withSite({ graph: { latencyMs: 100 } }, async (site) => {
    const spellings = ['adele@contoso.example', 'Adele@Contoso.Example'];

    await Promise.all(spellings.flatMap((mailbox) => openMany(site, mailbox, 6)));

    expect(site.graph.maxConcurrentPerMailbox).toBe(MAX_IN_FLIGHT);
  });
});

test('serves the waiting in the order of their arrival', async () => {
  await withSite({ graph: { latencyMs: 50 } }, async (site) => {
    const releaseAll = await hold(site, 'adele@contoso.example', MAX_IN_FLIGHT - 1);
    const releaseOne = await hold(site, 'adele@contoso.example', 1);
    const itemIds = Array.from({ length: 8 }, (_, n) => `item-${n}`);
    const calls: Promise<Response>[] = [];
    for (const itemId of itemIds) {
      calls.push(openSession(site, 'adele@contoso.example', itemId));
      await reachesApp(site);
    }

    releaseOne();
    await Promise.all(calls);
    releaseAll();

    expect(itemsAtGraph(site).slice(MAX_IN_FLIGHT)).toEqual(itemIds);
  });
});

test('does not let a busy mailbox hold up another', async () => {
  await withSite({}, async (site) => {
    const release = await hold(site, 'adele@contoso.example', MAX_IN_FLIGHT);
    const waiting = openMany(site, 'adele@contoso.example', 36);
    await reachesApp(site);

    const other = await openSession(site, 'megan@contoso.example', 'quick');

    expect(other.status).toBe(201);
    expect(itemsAtGraph(site).at(-1)).toBe('quick');
    release();
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(Array(36).fill(201));
  });
});

test('answers 429 MailboxBusy with Retry-After when the queue is full, and only for that mailbox', async () => {
  const settings = { MAILBOX_QUEUE_LENGTH: '2' };
  await withSite({ settings }, async (site) => {
    const release = await hold(site, 'adele@contoso.example', MAX_IN_FLIGHT);
    const asked = openMany(site, 'adele@contoso.example', 3);

    // Two of the three wait.
    const refused = await Promise.race(asked);
    const other = await openSession(site, 'megan@contoso.example', 'other');
    release();
    const answered = await Promise.all(asked);

    await expectGraphError(refused, 429, 'MailboxBusy');
    expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect(other.status).toBe(201);
    expect(answered.map(({ status }) => status).sort()).toEqual([201, 201, 429]);
    expect(itemsAtGraph(site).filter((itemId) => itemId.startsWith('adele-'))).toHaveLength(2);
    const line = await site.findEvent('request', ({ code }) => code === 'MailboxBusy');
    expect(line).toMatchObject({ status: 429, attempts: 0 });
  });
});

test('frees the places that timed-out requests held', async () => {
  const settings = { REQUEST_TIMEOUT_MS: '3000' };
  await withSite({ settings }, async (site) => {
    const hanging = Array.from({ length: MAX_IN_FLIGHT }, (_, n) =>
      openSession(site, 'adele@contoso.example', encodeURIComponent(`error=hangBeforeHeaders;nonce=${n}`)),
    );
    const timedOut = await Promise.all(hanging);

    const next = await openSession(site, 'adele@contoso.example', 'next');

    expect(timedOut.map(({ status }) => status)).toEqual(Array(MAX_IN_FLIGHT).fill(504));
    expect(next.status).toBe(201);
  });
});

import { setTimeout as delay } from 'node:timers/promises';
import type { SiteOptions } from '../../local/emulatedSite.ts';
import { expectGraphError, postJson, type Site, startSite } from '../support/site.ts';

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

async function inFlight(site: Site, count: number): Promise<void> {
  for (let attempt = 0; attempt < 500 && site.graph.requests.length < count; attempt++) await delay(5);
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
  await withSite({ graph: { latencyMs: 800 } }, async (site) => {
    const itemIds = Array.from({ length: 12 }, (_, n) => `item-${n}`);
    const calls: Promise<Response>[] = [];
    for (const itemId of itemIds) {
      calls.push(openSession(site, 'adele@contoso.example', itemId));
      await delay(60); // So do the places become free one after the other.
    }

    await Promise.all(calls);

    expect(itemsAtGraph(site)).toEqual(itemIds);
    expect(site.graph.maxConcurrentPerMailbox).toBe(MAX_IN_FLIGHT);
  });
});

test('does not let a busy mailbox hold up another', async () => {
  await withSite({ graph: { latencyMs: 200 } }, async (site) => {
    const busy = openMany(site, 'adele@contoso.example', 40);
    await inFlight(site, MAX_IN_FLIGHT);

    const other = await openSession(site, 'megan@contoso.example', 'quick');
    const served = site.events('request').filter(({ code }) => code === 'Created').length;
    await Promise.all(busy);

    expect(other.status).toBe(201);
    expect(served).toBeLessThan(20); // The busy one takes ten rounds of four.
    expect(itemsAtGraph(site).indexOf('quick')).toBeLessThan(20);
  });
});

test('answers 429 MailboxBusy with Retry-After when the queue is full, and only for that mailbox', async () => {
  const settings = { MAILBOX_QUEUE_LENGTH: '2' };
  await withSite({ settings, graph: { latencyMs: 500 } }, async (site) => {
    const held = openMany(site, 'adele@contoso.example', MAX_IN_FLIGHT);
    await inFlight(site, MAX_IN_FLIGHT);
    const queued = openMany(site, 'adele@contoso.example', 2);
    await delay(150);

    const refused = await openSession(site, 'adele@contoso.example', 'too-many');
    const other = await openSession(site, 'megan@contoso.example', 'other');
    const answered = await Promise.all([...held, ...queued]);

    await expectGraphError(refused, 429, 'MailboxBusy');
    expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect(other.status).toBe(201);
    expect(answered.map(({ status }) => status)).toEqual(Array(6).fill(201));
    expect(itemsAtGraph(site)).not.toContain('too-many');
    const line = await site.findEvent('request', ({ code }) => code === 'MailboxBusy');
    expect(line).toMatchObject({ status: 429, attempts: 0 });
  });
});

test('frees the places that timed-out requests held', async () => {
  const settings = { REQUEST_TIMEOUT_MS: '500' };
  await withSite({ settings }, async (site) => {
    const hanging = Array.from({ length: MAX_IN_FLIGHT }, (_, n) =>
      openSession(site, 'adele@contoso.example', encodeURIComponent(`fault=hangBeforeHeaders;nonce=${n}`)),
    );
    const timedOut = await Promise.all(hanging);

    const next = await openSession(site, 'adele@contoso.example', 'next');

    expect(timedOut.map(({ status }) => status)).toEqual(Array(MAX_IN_FLIGHT).fill(504));
    expect(next.status).toBe(201);
  });
});

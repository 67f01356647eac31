import { setTimeout as delay } from 'node:timers/promises';
import type { SiteOptions } from '../../local/emulatedSite.ts';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import type { IdentityErrorName } from '../../local/emulators/managedIdentity/identityErrors.ts';
import { TOKEN_TIMEOUT_MS } from '../../shared/common/limits.ts';
import { expectGraphError, postJson, type Site, startSite } from '../support/site.ts';
import { until } from '../support/until.ts';

const [messageId] = ADELE.items.message;

/** Longer than the product's own bound on a token request. */
const REQUEST_TIMEOUT_MS = 12_000;

async function withSite(options: Partial<SiteOptions>, use: (site: Site) => Promise<void>): Promise<void> {
  const site = await startSite(options);
  try {
    await use(site);
  } finally {
    await site.close();
  }
}

/** A site without a usable token: the one that it fetched when it started has run out. */
async function withColdSite(settings: Readonly<Record<string, string>>, use: (site: Site) => Promise<void>) {
  await withSite({ settings, identity: { lifetimeSeconds: 1 } }, async (site) => {
    await until('a first token', () => site.identity.requests.some(({ status }) => status === 200));
    await delay(1200);
    site.identity.reset();
    site.identity.settings.lifetimeSeconds = 3600;
    await use(site);
  });
}

function openSession(site: Site): Promise<Response> {
  return postJson(`${site.api}/v1.0/me/messages/${messageId}/attachments/createUploadSession`);
}

function tokensSeenByGraph(site: Site): Set<string | undefined> {
  return new Set(site.graph.requests.map(({ headers }) => headers.authorization));
}

test('asks for one token when 20 cold requests come at once', async () => {
  await withColdSite({}, async (site) => {
    site.identity.play('slow', { ms: 300 });

    const responses = await Promise.all(Array.from({ length: 20 }, () => openSession(site)));

    expect(responses.map(({ status }) => status)).toEqual(Array(20).fill(201));
    expect(site.identity.requests).toHaveLength(1);
    expect(tokensSeenByGraph(site).size).toBe(1);
  });
});

test('asks for the token of the Graph that it calls', async () => {
  await withSite({}, async (site) => {
    await openSession(site);

    expect(site.identity.requests).toEqual([
      expect.objectContaining({ resource: site.graph.url, clientId: null, status: 200 }),
    ]);
  });
});

test('names the user-assigned identity of AZURE_CLIENT_ID', async () => {
  const clientId = '0d3c5a2e-5a5b-4f0e-9f0b-6d1a3a1c7e10';
  const options = {
    settings: { AZURE_CLIENT_ID: clientId },
    identity: { hasSystemAssigned: false, userAssigned: [clientId] },
  };
  await withSite(options, async (site) => {
    const response = await openSession(site);

    expect(response.status).toBe(201);
    expect(site.identity.requests).toEqual([expect.objectContaining({ clientId, status: 200 })]);
  });
});

test('goes on with the token it has while an early refresh fails, and recovers', async () => {
  // A token of 20 s is refreshed from its 10th second on and used up to its 16th (shared/tokens/tokenSource.ts).
  await withSite({ identity: { lifetimeSeconds: 20 } }, async (site) => {
    const first = await openSession(site);
    site.identity.play('refused');
    await delay(10_500);
    const duringOutage = [];
    for (let request = 0; request < 5; request++) duringOutage.push((await openSession(site)).status);
    const refusals = await site.findEvent('tokenFailed');
    const tokensUsed = tokensSeenByGraph(site).size;
    site.identity.play('none');
    const recovered = await until('a request with the next token', async () => {
      const answer = await openSession(site);
      return tokensSeenByGraph(site).size === 2 && answer;
    });

    expect(first.status).toBe(201);
    expect(duringOutage).toEqual([201, 201, 201, 201, 201]);
    expect(refusals).toEqual(expect.objectContaining({ event: 'tokenFailed' }));
    expect(tokensUsed).toBe(1);
    expect(recovered.status).toBe(201);
    expect(tokensSeenByGraph(site).size).toBe(2);
  });
});

const FAULTS_WITHOUT_A_TOKEN: readonly IdentityErrorName[] = [
  'absent',
  'wrongHeader',
  'refused',
  'notFound',
  'throttled',
  'failing',
  'garbage',
  'noToken',
  'hanging',
];

test.concurrent.each(FAULTS_WITHOUT_A_TOKEN)('answers 503 when the identity endpoint is %s', async (fault) => {
  await withColdSite({ REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS) }, async (site) => {
    site.identity.play(fault);

    const response = await openSession(site);

    await expectGraphError(response, 503, 'TokenUnavailable');
    const failure = await site.findEvent('tokenFailed');
    expect(failure['cause']).toEqual(expect.stringMatching(/\S/));
    expect(site.events('tokenFailed')).toHaveLength(1);
    expect(site.graph.requests).toEqual([]);
  });
});

test.each(['hanging', 'slow', 'failing', 'throttled'] as const)(
  'answers 503 when the identity endpoint is %s for longer than the request may take',
  async (fault) => {
    await withColdSite({ REQUEST_TIMEOUT_MS: '800' }, async (site) => {
      site.identity.play(fault);
      const startedAt = performance.now();

      const response = await openSession(site);

      await expectGraphError(response, 503, 'TokenUnavailable');
      expect(performance.now() - startedAt).toBeLessThan(TOKEN_TIMEOUT_MS);
      expect(site.graph.requests).toEqual([]);
    });
  },
);

test('waits for a slow identity endpoint', async () => {
  await withColdSite({}, async (site) => {
    site.identity.play('slow', { ms: 1500 });

    const response = await openSession(site);

    expect(response.status).toBe(201);
  });
});

test('fetches a new token once when Graph refuses the one it has', async () => {
  await withSite({}, async (site) => {
    await openSession(site);
    site.identity.tokens.revokeAll();

    const response = await openSession(site);

    expect(response.status).toBe(201);
    expect(site.graph.requests.map(({ status }) => status)).toEqual([201, 401, 201]);
  });
});

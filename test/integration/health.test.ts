import { setTimeout as delay } from 'node:timers/promises';
import packageJson from '../../package.json' with { type: 'json' };
import { type Site, startSite } from '../support/site.ts';
import { until } from '../support/until.ts';

// No key of a real app: the host under test demands this one.
const FUNCTION_KEY = 'the-key-of-this-test';
const KEY = { 'x-functions-key': FUNCTION_KEY };

async function withSite(settings: Readonly<Record<string, string>>, use: (site: Site) => Promise<void>): Promise<void> {
  const site = await startSite({ settings, host: { enableAuth: true, functionKey: FUNCTION_KEY } });
  try {
    await use(site);
  } finally {
    await site.close();
  }
}

async function read(site: Site, path: string, headers: Readonly<Record<string, string>> = {}) {
  const answer = await fetch(`${site.api}/${path}`, { headers });
  const body: unknown = await answer.json();
  return { status: answer.status, body };
}

/** The app gets its first token by itself, a moment after its start. */
async function settled(site: Site): Promise<void> {
  await until('a request for a token', () => site.identity.requests.length > 0);
}

describe('a sound app', () => {
  let site: Site;

  beforeAll(async () => {
    site = await startSite({ host: { enableAuth: true, functionKey: FUNCTION_KEY } });
    await settled(site);
  });
  afterAll(() => site.close());

  test('answers health without a key, from memory', async () => {
    const before = [site.identity.requests.length, site.graph.requests.length];

    const answer = await fetch(`${site.api}/health`);
    const body: unknown = await answer.json();

    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body).toEqual({ status: 'ok', version: packageJson.version, uptimeSeconds: expect.any(Number) });
    expect([site.identity.requests.length, site.graph.requests.length]).toEqual(before);
  });

  test('answers HEAD for health without a body', async () => {
    const answer = await fetch(`${site.api}/health`, { method: 'HEAD' });

    expect([answer.status, await answer.text()]).toEqual([200, '']);
  });

  test('demands a key for readiness', async () => {
    const answer = await fetch(`${site.api}/health/ready`);

    expect(answer.status).toBe(401);
  });

  test('is ready', async () => {
    const checks = { settings: 'ok', policy: 'ok', token: 'ok', storage: 'none', queue: 'none' };

    expect(await read(site, 'health/ready', KEY)).toEqual({
      status: 200,
      body: { status: 'ready', checks, unmatchedRequests: 0 },
    });
  });

  test('asks nothing of Graph for readiness', async () => {
    const before = site.graph.requests.length;

    await read(site, 'health/ready', KEY);

    expect(site.graph.requests.length).toBe(before);
  });
});

test('names the token where none can be had, without the reason, and stays alive', async () => {
  const site = await startSite({
    identity: { hasSystemAssigned: false },
    host: { enableAuth: true, functionKey: FUNCTION_KEY },
  });
  try {
    await settled(site);

    const ready = await read(site, 'health/ready', KEY);
    const alive = await read(site, 'health');

    const checks = { settings: 'ok', policy: 'ok', token: 'failing', storage: 'none', queue: 'none' };
    expect(ready).toEqual({ status: 503, body: { status: 'notReady', checks, unmatchedRequests: 0 } });
    expect(alive.status).toBe(200);
    await site.findEvent('tokenFailed', ({ cause }) => /identity/i.test(String(cause)));
  } finally {
    await site.close();
  }
});

test('becomes ready by itself once a token can be had', async () => {
  const site = await startSite({
    identity: { lifetimeSeconds: 1 },
    host: { enableAuth: true, functionKey: FUNCTION_KEY },
  });
  try {
    await settled(site);
    await delay(1100); // The first token has ended.
    site.identity.play('refused');

    const before = await read(site, 'health/ready', KEY);
    site.identity.settings.lifetimeSeconds = 3600;
    site.identity.play('none');
    await until('readiness', async () => (await read(site, 'health/ready', KEY)).status === 200, 200);

    expect(before.status).toBe(503);
  } finally {
    await site.close();
  }
});

test('names the policy where it is broken', async () => {
  await withSite({ POLICY: '{"callers":7}' }, async (site) => {
    const ready = await read(site, 'health/ready', KEY);
    const alive = await read(site, 'health');

    const checks = { settings: 'ok', policy: 'failing', token: 'failing', storage: 'none', queue: 'none' };
    expect(ready).toEqual({ status: 503, body: { status: 'notReady', checks, unmatchedRequests: 0 } });
    expect(alive).toEqual({ status: 503, body: expect.objectContaining({ status: 'misconfigured' }) });
  });
});

test('names the settings where they have faults', async () => {
  await withSite({ REQUEST_TIMEOUT_MS: 'soon' }, async (site) => {
    const ready = await read(site, 'health/ready', KEY);
    const alive = await read(site, 'health');

    expect(ready).toMatchObject({ status: 503, body: { status: 'notReady', checks: { settings: 'failing' } } });
    expect(alive).toEqual({ status: 503, body: expect.objectContaining({ status: 'misconfigured' }) });
  });
});

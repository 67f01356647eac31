import { expectGraphError, postJson, type Site, startSite } from '../support/site.ts';

const PATH = 'me/messages/any/attachments/createUploadSession';

async function withSite(settings: Readonly<Record<string, string>>, use: (site: Site) => Promise<void>): Promise<void> {
  const site = await startSite({ settings });
  try {
    await use(site);
  } finally {
    await site.close();
  }
}

describe('an app with several faults in its settings', () => {
  const FAULTY = {
    REQUEST_TIMEOUT_MS: 'planted-value-1',
    GRAPH_MAX_ATTEMPTS: '-42424242',
    LOG_MAILBOX: 'planted-value-2',
    GRAPH_BASE_URL: 'http://planted-value-3.example',
    GRAPH_CREDENTIAL: 'clientSecret',
    AZURE_TENANT_ID: 'planted-value-4',
    AZURE_CLIENT_ID: 'planted-value-5',
    CALLER_AUTH: 'entra',
    POLICY: '{"planted-value-6"',
  };
  /** Set wrongly, or needed by what is set and absent. */
  const AT_FAULT = [
    'API_AUDIENCE',
    'AZURE_CLIENT_ID',
    'AZURE_CLIENT_SECRET',
    'ENTRA_TENANT_ID',
    'GRAPH_BASE_URL',
    'GRAPH_MAX_ATTEMPTS',
    'LOG_MAILBOX',
    'POLICY',
    'REQUEST_TIMEOUT_MS',
  ];
  let site: Site;

  beforeAll(async () => {
    site = await startSite({ settings: FAULTY });
  });
  afterAll(() => site.close());

  test('names each of them in the log, all at once', async () => {
    await site.findEvent('misconfigured', ({ setting }) => setting === 'POLICY');

    const named = new Set(site.events('misconfigured').map(({ setting }) => setting));
    expect([...named].sort()).toEqual(AT_FAULT);
    for (const line of site.events('misconfigured')) {
      expect(line).toEqual({
        event: 'misconfigured',
        part: 'settings',
        setting: expect.any(String),
        fault: expect.any(String),
      });
    }
  });

  test('shows no value in the log or in an answer', async () => {
    const answer = await postJson(`${site.api}/${PATH}`);
    const body = await answer.text();
    await site.findEvent('request');

    const written = [...site.lines.map(({ message }) => message), body].join('\n');
    expect(written).toContain('REQUEST_TIMEOUT_MS');
    expect(written).not.toMatch(/planted-value|42424242/);
  });

  test('answers requests 503 with one code and asks nothing of identity or Graph', async () => {
    const answer = await postJson(`${site.api}/${PATH}`);

    await expectGraphError(answer, 503, 'ServiceMisconfigured');
    expect([site.identity.requests.length, site.graph.requests.length]).toEqual([0, 0]);
    const requestId = answer.headers.get('request-id');
    expect(await site.findEvent('request', (line) => line['requestId'] === requestId)).toEqual({
      event: 'request',
      code: 'ServiceMisconfigured',
      status: 503,
      requestId,
    });
  });

  test('answers 503 on paths and methods that do not exist, too', async () => {
    const answer = await fetch(`${site.api}/no/such/path`, { method: 'DELETE' });

    await expectGraphError(answer, 503, 'ServiceMisconfigured');
  });

  test('is not healthy', async () => {
    const answer = await fetch(`${site.api}/health`);

    expect(answer.status).toBe(503);
  });
});

test('names every fault of a policy by its place', async () => {
  const caller = { name: 'planted-value', functionKey: true, kinds: 'planted-value', mailboxes: [7] };
  const policy = { callers: [caller], surplus: 'planted-value' };
  await withSite({ POLICY: JSON.stringify(policy) }, async (site) => {
    const answer = await postJson(`${site.api}/${PATH}`);

    await expectGraphError(answer, 503, 'ServiceMisconfigured');
    const lines = site.events('misconfigured');
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) {
      expect(line).toEqual(
        expect.objectContaining({
          part: 'policy',
          setting: 'POLICY',
          pointer: expect.any(String),
          fault: expect.any(String),
        }),
      );
    }
    expect(JSON.stringify(lines)).not.toContain('planted-value');
  });
});

test('says at its start what can be reached', async () => {
  await withSite({ ALLOW_ANY_MAILBOX: 'true' }, async (site) => {
    expect(await site.findEvent('started')).toEqual({
      event: 'started',
      policy: 'none',
      reach: 'every mailbox and group (ALLOW_ANY_MAILBOX)',
      callerAuth: 'functionKey',
    });
    expect(site.events('misconfigured')).toEqual([]);
  });
});

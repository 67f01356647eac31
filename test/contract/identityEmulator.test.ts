import { type IdentityEmulator, startIdentityEmulator } from '../../local/emulators/managedIdentity/identity.ts';
import { IDENTITY_ERRORS, type IdentityErrorName } from '../../local/emulators/managedIdentity/identityErrors.ts';
import { type Answer, send } from './emulators.ts';

const USER_ASSIGNED = '3d2a1c4e-7b58-4f1c-a8d0-5e9b6c0f1a27';
const RESOURCE = 'https://graph.microsoft.com';
const OUTCOMES: Record<IdentityErrorName, { status: number; text?: RegExp } | 'slow' | 'hangs'> = {
  absent: { status: 400 },
  wrongHeader: { status: 401 },
  refused: { status: 403 },
  notFound: { status: 404 },
  throttled: { status: 429 },
  failing: { status: 500 },
  garbage: { status: 200, text: /^<html>$/ },
  noToken: { status: 200, text: /^\{\}$/ },
  slow: 'slow',
  hanging: 'hangs',
};
const NAMES = Object.keys(IDENTITY_ERRORS) as IdentityErrorName[];

describe('the identity emulator', () => {
  const clock = { ms: Date.parse('2026-01-02T03:04:05Z') };
  let identity: IdentityEmulator;

  beforeAll(async () => {
    identity = await startIdentityEmulator({
      now: () => clock.ms,
      lifetimeSeconds: 3600,
      userAssigned: [USER_ASSIGNED],
    });
  });
  afterAll(() => identity.close());
  afterEach(() => identity.reset());

  function ask(
    query: Record<string, string> = {},
    header: string | undefined = identity.env.IDENTITY_HEADER,
  ): Promise<Answer> {
    const parameters = new URLSearchParams({ 'api-version': '2019-08-01', resource: RESOURCE, ...query });
    const headers = header === '' ? {} : { 'X-IDENTITY-HEADER': header };
    return send(`${identity.env.IDENTITY_ENDPOINT}?${parameters}`, { headers, timeoutMs: 1000 });
  }

  test('answers a token as App Service does', async () => {
    const answer = await ask();

    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      access_token: expect.any(String),
      client_id: expect.any(String),
      expires_on: String(clock.ms / 1000 + 3600),
      not_before: String(clock.ms / 1000),
      resource: RESOURCE,
      token_type: 'Bearer',
    });
    expect(identity.tokens.check(String(answer.json['access_token']))).toEqual({ kind: 'valid', audience: RESOURCE });
  });

  test('gives an assertion for an app that trusts the identity, and says whose it is', async () => {
    const resource = 'api://AzureADTokenExchange';

    const { status, json } = await ask({ resource });

    const assertion = String(json['access_token']);
    expect([status, identity.tokens.check(assertion)]).toEqual([200, { kind: 'valid', audience: resource }]);
    expect(identity.tokens.appOf(assertion)).toBe(json['client_id']);
    expect(identity.tokens.userOf(assertion)).toBeUndefined();
  });

  test('lets a token expire', async () => {
    identity.settings.lifetimeSeconds = 2;
    const { json } = await ask();
    clock.ms += 2000;

    expect(identity.tokens.check(String(json['access_token']))).toEqual({ kind: 'expired' });
  });

  test('gives a new token each time, or the same one until it expires', async () => {
    const tokenOf = async () => (await ask()).json['access_token'];

    expect(await tokenOf()).not.toBe(await tokenOf());
    identity.settings.cachesTokens = true;
    const cached = await tokenOf();
    expect(await tokenOf()).toBe(cached);
    clock.ms += 3_600_000;
    expect(await tokenOf()).not.toBe(cached);
  });

  test.each([
    ['no header', {}, '', 401],
    ['a wrong header', {}, 'wrong', 401],
    ['an old api-version', { 'api-version': '2017-09-01' }, undefined, 400],
    ['a resource that is no URI', { resource: 'graph' }, undefined, 400],
    ['an unknown user-assigned identity', { client_id: 'ffffffff-0000-4000-8000-000000000000' }, undefined, 400],
  ])('refuses %s', async (_what, query, header, status) => {
    expect((await ask(query, header)).status).toBe(status);
  });

  test('knows its user-assigned identities', async () => {
    const other = await startIdentityEmulator({ hasSystemAssigned: false, userAssigned: [USER_ASSIGNED] });
    const url = `${other.env.IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=${encodeURIComponent(RESOURCE)}`;
    const headers = { 'X-IDENTITY-HEADER': other.env.IDENTITY_HEADER };

    const system = await send(url, { headers });
    const assigned = await send(`${url}&client_id=${USER_ASSIGNED}`, { headers });
    await other.close();

    expect([system.status, assigned.status, assigned.json['client_id']]).toEqual([400, 200, USER_ASSIGNED]);
  });

  test('makes a new secret at each start', async () => {
    const other = await startIdentityEmulator();
    await other.close();

    expect(other.env.IDENTITY_HEADER).not.toBe(identity.env.IDENTITY_HEADER);
  });

  test.each(NAMES)('plays %s', async (error) => {
    const outcome = OUTCOMES[error];
    identity.play(error, { times: 1, ms: 100 });
    const startedAt = Date.now();

    const answer = ask();

    if (outcome === 'hangs') {
      await expect(answer).rejects.toMatchObject({ code: 'ABORT_ERR' });
    } else if (outcome === 'slow') {
      expect((await answer).status).toBe(200);
      expect(Date.now() - startedAt).toBeGreaterThanOrEqual(99);
    } else {
      expect((await answer).status).toBe(outcome.status);
      expect((await answer).text).toMatch(outcome.text ?? /"message"/);
    }
    expect((await ask()).status).toBe(200);
  });

  test('says a throttled caller when to come back', async () => {
    identity.play('throttled');

    expect((await ask()).headers['retry-after']).toBe('1');
  });

  test('plays an error until none is played', async () => {
    identity.play('failing');
    const statuses = [(await ask()).status, (await ask()).status];
    identity.play('none');
    statuses.push((await ask()).status);

    expect(statuses).toEqual([500, 500, 200]);
  });

  test('is controlled over HTTP', async () => {
    const control = (name: string) => send(`${identity.url}/emulator/error?name=${name}&times=1`, { method: 'PUT' });

    const accepted = await control('refused');
    const statuses = [(await ask()).status, (await ask()).status];
    const unknown = await control('rain');

    expect([accepted.status, unknown.status]).toEqual([200, 400]);
    expect(statuses).toEqual([403, 200]);
  });

  test('counts the requests, refused ones included', async () => {
    await ask();
    await ask({}, 'wrong');

    expect(identity.requests.map(({ resource, status }) => [resource, status])).toEqual([
      [RESOURCE, 200],
      [RESOURCE, 401],
    ]);
  });
});

import { generateKeyPairSync } from 'node:crypto';
import { createRemoteJWKSet, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { createCertificate } from '../../local/emulators/common/certificate.ts';
import { createTokenRegistry } from '../../local/emulators/common/tokenRegistry.ts';
import { startTenantEmulator, type TenantEmulator } from '../../local/emulators/entra/tenant.ts';
import { HOSTILE_TOKENS, type HostileToken } from '../../local/emulators/entra/tokens.ts';
import { type Answer, send } from './emulators.ts';

const AUDIENCE = '6a7f0f2e-94d5-4a4e-8a53-0a2a5c2c3f10';
const APP = 'b4a1c2d3-5e6f-4a7b-8c9d-0e1f2a3b4c5d';
const SECRET = 'the-secret-of-the-test';
const assertionKeys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const subject = { audience: AUDIENCE, appId: APP, roles: ['UploadSession.Create'] };

describe('the tenant emulator', () => {
  const tokens = createTokenRegistry();
  let tenant: TenantEmulator;
  let ca: string;

  beforeAll(async () => {
    const certificate = await createCertificate();
    ca = certificate.ca;
    const assertionKey = assertionKeys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const clients = [{ clientId: APP, secret: SECRET, assertionKey, roles: ['UploadSession.Create'] }];
    tenant = await startTenantEmulator({ certificate, tokens, clients });
  });
  afterAll(() => tenant.close());
  afterEach(() => tenant.reset());

  /** As a careful API does it. */
  async function verify(token: string): Promise<JWTPayload> {
    const keys = createRemoteJWKSet(new URL(`${tenant.url}/${tenant.tenantId}/discovery/v2.0/keys`));
    const issuer = [tenant.issuers.v1, tenant.issuers.v2];
    const { payload } = await jwtVerify(token, keys, { issuer, audience: AUDIENCE, algorithms: ['RS256'] });
    if (payload['tid'] !== tenant.tenantId) throw new Error('tid');
    return payload;
  }

  test('issues app tokens of both versions', async () => {
    const [first, second] = [await tenant.issue(subject, { version: 1 }), await tenant.issue(subject)];

    const common = { aud: AUDIENCE, roles: subject.roles, tid: tenant.tenantId };
    expect(await verify(first)).toMatchObject({
      ...common,
      appid: APP,
      ver: '1.0',
      iss: `https://sts.windows.net/${tenant.tenantId}/`,
    });
    expect(await verify(second)).toMatchObject({
      ...common,
      azp: APP,
      ver: '2.0',
      iss: `${tenant.url}/${tenant.tenantId}/v2.0`,
    });
  });

  test('issues delegated tokens', async () => {
    const oid = '0f8c1f0e-52c0-4f0c-9d52-3f6b7b2a9a44';

    const claims = await verify(
      await tenant.issue({ audience: AUDIENCE, appId: APP, scp: 'UploadSession.Create', oid }),
    );

    expect(claims).toMatchObject({ scp: 'UploadSession.Create', oid });
    expect(claims).not.toHaveProperty('roles');
  });

  test('sets and removes claims as asked', async () => {
    const claims = await verify(await tenant.issue(subject, { claims: { roles: undefined, azp: 'other' } }));

    expect(claims).toMatchObject({ azp: 'other' });
    expect(claims).not.toHaveProperty('roles');
  });

  const refused = (Object.keys(HOSTILE_TOKENS) as HostileToken[]).filter((name) => name !== 'oversized');

  test.each(refused)('makes a token that a careful API refuses: %s', async (hostile) => {
    const token = await tenant.issue(subject, { hostile });

    await expect(verify(token)).rejects.toThrow();
  });

  test('makes a token that is right but oversized', async () => {
    const token = await tenant.issue(subject, { hostile: 'oversized' });

    await verify(token);
    expect(token.length).toBeGreaterThan(10_240);
  });

  test('counts fetches of the key set', async () => {
    await verify(await tenant.issue(subject));
    await verify(await tenant.issue(subject));

    expect(tenant.keyFetches).toBe(2);
  });

  test('rotates its key, with or without the old one', async () => {
    const old = await tenant.issue(subject);

    await tenant.rotate({ keepOld: true });
    await verify(old);
    await verify(await tenant.issue(subject));
    await tenant.rotate();

    await expect(verify(old)).rejects.toThrow(/no applicable key/);
    await verify(await tenant.issue(subject));
  });

  const keysUrl = () => `${tenant.url}/${tenant.tenantId}/discovery/v2.0/keys`;

  test('plays its errors until none is played', async () => {
    const play = async (error: Parameters<TenantEmulator['play']>[0]) => {
      tenant.play(error, { ms: 100 });
      return send(keysUrl(), { timeoutMs: 400 }).then(
        ({ status, text }) => `${status} ${text.slice(0, 6)}`,
        (error: { code?: string }) => error.code,
      );
    };

    expect(await play('down')).toBe('ECONNRESET');
    expect(await play('failing')).toBe('500 {"erro');
    expect(await play('garbage')).toBe('200 <html>');
    expect(await play('hanging')).toBe('ABORT_ERR');
    const startedAt = Date.now();
    expect(await play('slow')).toBe('200 {"keys');
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(99);
    expect(await play('none')).toBe('200 {"keys');
  });

  function askToken(form: Record<string, string>): Promise<Answer> {
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: APP,
      scope: 'https://graph.microsoft.com/.default',
      ...form,
    }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return send(`${tenant.secureUrl}/${tenant.tenantId}/oauth2/v2.0/token`, { method: 'POST', headers, body, ca });
  }

  test('gives an app a token for its secret, known to Graph', async () => {
    const { status, json } = await askToken({ client_secret: SECRET });

    expect([status, json['token_type'], json['expires_in']]).toEqual([200, 'Bearer', 3599]);
    expect(tokens.check(String(json['access_token']))).toEqual({
      kind: 'valid',
      audience: 'https://graph.microsoft.com',
    });
  });

  test('gives an app a token for an API of the tenant', async () => {
    const { json } = await askToken({ client_secret: SECRET, scope: `api://${AUDIENCE}/.default` });

    expect(await verify(String(json['access_token']))).toMatchObject({ azp: APP, roles: ['UploadSession.Create'] });
  });

  test('takes a client assertion signed with the registered key, and no other', async () => {
    const sign = (key: typeof assertionKeys.privateKey) =>
      new SignJWT({ sub: APP, iss: APP }).setProtectedHeader({ alg: 'PS256' }).setExpirationTime('5m').sign(key);
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });

    const good = await askToken({ client_assertion_type, client_assertion: await sign(assertionKeys.privateKey) });
    const bad = await askToken({ client_assertion_type, client_assertion: await sign(stranger.privateKey) });

    expect([good.status, bad.status, bad.json['error']]).toEqual([200, 401, 'invalid_client']);
  });

  test('takes a client assertion of the app itself alone', async () => {
    const client_assertion = await new SignJWT({ sub: 'another', iss: 'another' })
      .setProtectedHeader({ alg: 'PS256' })
      .setExpirationTime('5m')
      .sign(assertionKeys.privateKey);

    const { json } = await askToken({ client_assertion_type, client_assertion });

    expect(json['error_codes']).toEqual([700027]);
  });

  test.each([
    [{ client_secret: 'wrong' }, 401, 'invalid_client'],
    [{ client_secret: SECRET, client_id: 'nobody' }, 400, 'unauthorized_client'],
    [{ client_secret: SECRET, scope: 'Mail.ReadWrite' }, 400, 'invalid_scope'],
    [{ client_secret: SECRET, grant_type: 'password' }, 400, 'unsupported_grant_type'],
  ])('refuses %j with %i %s', async (form, status, error) => {
    const answer = await askToken(form);

    expect([answer.status, answer.json['error']]).toEqual([status, error]);
  });

  test('refuses in the words of Entra', async () => {
    const { json, headers } = await askToken({ client_secret: 'wrong' });

    expect(json).toEqual({
      error: 'invalid_client',
      error_description: expect.stringMatching(/^AADSTS7000215: .* Trace ID: \S+ Correlation ID: \S+ Timestamp: /),
      error_codes: [7000215],
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/),
      trace_id: expect.any(String),
      correlation_id: expect.any(String),
      error_uri: 'https://login.microsoftonline.com/error?code=7000215',
    });
    expect(headers['cache-control']).toBe('no-store');
  });

  test('describes itself', async () => {
    const { json } = await send(`${tenant.url}/${tenant.tenantId}/v2.0/.well-known/openid-configuration`);

    expect(json).toMatchObject({ issuer: tenant.issuers.v2, jwks_uri: keysUrl() });
  });

  test('does not know another tenant', async () => {
    expect((await send(`${tenant.url}/common/discovery/v2.0/keys`)).status).toBe(404);
  });
});

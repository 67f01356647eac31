import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt, SignJWT } from 'jose';
import { createTokenRegistry } from '../../local/emulators/common/tokenRegistry.ts';
import { startTenantEmulator, type TenantEmulator } from '../../local/emulators/entra/tenant.ts';
import { DEMANDED_CONTEXT, TOKEN_ERRORS, type TokenErrorName } from '../../local/emulators/entra/tenantErrors.ts';
import type { IssueOptions, TokenSubject } from '../../local/emulators/entra/tokens.ts';
import { type Answer, send } from './emulators.ts';

const API = '6a7f0f2e-94d5-4a4e-8a53-0a2a5c2c3f10';
const UNCONSENTED_API = '7b801f3f-a5e6-4b5f-9b64-1b3b6d3d4f21';
const ADD_IN = 'b4a1c2d3-5e6f-4a7b-8c9d-0e1f2a3b4c5d';
const IDENTITY = '0d3c5a2e-5a5b-4f0e-9f0b-6d1a3a1c7e10';
const USER = '0f8c1f0e-52c0-4f0c-9d52-3f6b7b2a9a44';
const SECRET = 'the-secret-of-the-test';
const GRAPH = 'https://graph.microsoft.com';
const EXCHANGE = 'api://AzureADTokenExchange';
const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const certificateKeys = generateKeyPairSync('rsa', { modulusLength: 2048 });

describe('the tenant emulator, asked on behalf of a user', () => {
  const tokens = createTokenRegistry();
  let tenant: TenantEmulator;

  beforeAll(async () => {
    const assertionKey = certificateKeys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const common = { secret: SECRET, assertionKey, federatedIdentities: [IDENTITY] };
    tenant = await startTenantEmulator({
      tokens,
      clients: [
        { ...common, clientId: API, identifierUris: ['api://upload-sessions'] },
        { ...common, clientId: UNCONSENTED_API, scopes: '' },
      ],
    });
  });
  afterAll(() => tenant.close());
  afterEach(() => tenant.reset());

  function userToken(subject: Partial<TokenSubject> = {}, options: IssueOptions = {}): Promise<string> {
    return tenant.issue({ audience: API, appId: ADD_IN, scp: 'UploadSession.Create', oid: USER, ...subject }, options);
  }

  async function ask(form: Record<string, string> = {}): Promise<Answer> {
    const proof = 'client_assertion' in form ? { client_assertion_type } : { client_secret: SECRET };
    const body = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      requested_token_use: 'on_behalf_of',
      client_id: API,
      scope: `${GRAPH}/.default openid profile offline_access`,
      ...proof,
      ...('assertion' in form ? {} : { assertion: await userToken() }),
      ...form,
    }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return send(`${tenant.url}/${tenant.tenantId}/oauth2/v2.0/token`, { method: 'POST', headers, body });
  }

  function refusalOf({ status, json }: Answer): unknown[] {
    return [status, json['error'], json['error_codes']];
  }

  function expected(name: TokenErrorName): unknown[] {
    const { status, error, code } = TOKEN_ERRORS[name];
    return [status, error, [code]];
  }

  test('gives a token for Graph that is the user’s, and the registry knows whose', async () => {
    const { status, json } = await ask();

    const token = String(json['access_token']);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      token_type: 'Bearer',
      expires_in: 3599,
      scope: expect.stringContaining('Mail.ReadWrite'),
    });
    expect(tokens.check(token)).toEqual({ kind: 'valid', audience: GRAPH });
    expect([tokens.userOf(token), tokens.appOf(token)]).toEqual([USER, API]);
    expect(decodeJwt(token)).toMatchObject({ aud: GRAPH, oid: USER, azp: API, scp: expect.stringContaining('Tasks') });
  });

  test.each(['api://upload-sessions', `api://${API}`])('takes an assertion for %s', async (audience) => {
    expect((await ask({ assertion: await userToken({ audience }) })).status).toBe(200);
  });

  test('takes a client assertion of the registered certificate', async () => {
    const client_assertion = await new SignJWT({ sub: API, iss: API })
      .setProtectedHeader({ alg: 'PS256' })
      .setExpirationTime('5m')
      .sign(certificateKeys.privateKey);

    expect((await ask({ client_assertion })).status).toBe(200);
  });

  test('takes a token of the managed identity that the app trusts', async () => {
    const client_assertion = tokens.issue({ audience: EXCHANGE, lifetimeSeconds: 60, app: IDENTITY });

    expect((await ask({ client_assertion })).status).toBe(200);
  });

  test.each([
    ['of another identity', { audience: EXCHANGE, lifetimeSeconds: 60, app: ADD_IN }],
    ['for another audience', { audience: GRAPH, lifetimeSeconds: 60, app: IDENTITY }],
    ['that has ended', { audience: EXCHANGE, lifetimeSeconds: 0, app: IDENTITY }],
  ])('refuses an identity token %s', async (_what, issued) => {
    expect(refusalOf(await ask({ client_assertion: tokens.issue(issued) }))).toEqual(expected('federationUnknown'));
  });

  test.each([
    [{ client_secret: 'wrong' }, 'clientSecretWrong'],
    [{ client_assertion: 'x.y.z' }, 'clientAssertionWrong'],
    [{ client_id: ADD_IN }, 'unknownApp'],
    [{ client_id: UNCONSENTED_API }, 'wrongAudience'],
    [{ scope: 'Mail.ReadWrite' }, 'badScope'],
    [{ scope: `${GRAPH}/.default https://outlook.office.com/.default` }, 'badScope'],
    [{ requested_token_use: 'something' }, 'unsupportedGrant'],
    [{ assertion: '' }, 'invalidAssertion'],
    [{ assertion: 'not.a.token' }, 'invalidAssertion'],
  ] as const)('refuses %j: %s', async (form, name) => {
    expect(refusalOf(await ask(form))).toEqual(expected(name));
  });

  test.each([
    ['wrongAudience', 'wrongAudience'],
    ['expired', 'expiredAssertion'],
    ['notYetValid', 'expiredAssertion'],
    ['wrongIssuer', 'invalidAssertion'],
    ['badSignature', 'invalidAssertion'],
    ['stolenKid', 'invalidAssertion'],
    ['unknownKid', 'invalidAssertion'],
    ['embeddedJwk', 'invalidAssertion'],
    ['hs256WithPublicKey', 'invalidAssertion'],
    ['algNone', 'invalidAssertion'],
  ] as const)('refuses a hostile assertion: %s', async (hostile, name) => {
    expect(refusalOf(await ask({ assertion: await userToken({}, { hostile }) }))).toEqual(expected(name));
  });

  test('refuses the token of an app', async () => {
    const assertion = await tenant.issue({ audience: API, appId: ADD_IN, roles: ['UploadSession.Create'] });

    expect(refusalOf(await ask({ assertion }))).toEqual(expected('appAssertion'));
  });

  test('refuses where nobody has consented', async () => {
    const answer = await ask({ client_id: UNCONSENTED_API, assertion: await userToken({ audience: UNCONSENTED_API }) });

    expect(refusalOf(answer)).toEqual(expected('consentRequired'));
    expect(answer.json['suberror']).toBe('consent_required');
  });

  test.each(Object.keys(TOKEN_ERRORS) as TokenErrorName[])('plays %s', async (name) => {
    tenant.play(name);

    expect(refusalOf(await ask())).toEqual(expected(name));
    tenant.play('none');
    expect((await ask()).status).toBe(200);
  });

  test('says when to come back', async () => {
    tenant.play('throttled');

    expect((await ask()).headers['retry-after']).toBe('60');
  });

  test('plays a refusal a number of times, and at the token endpoint alone', async () => {
    tenant.play('unavailable', { times: 1 });

    const keys = await send(`${tenant.url}/${tenant.tenantId}/discovery/v2.0/keys`);
    expect([keys.status, (await ask()).status, (await ask()).status]).toEqual([200, 503, 200]);
  });

  test('keeps an error to the token endpoint', async () => {
    tenant.play('failing', { on: 'tokenEndpoint' });

    const keys = await send(`${tenant.url}/${tenant.tenantId}/discovery/v2.0/keys`);
    expect([keys.status, (await ask()).status]).toEqual([200, 500]);
  });

  test('challenges the user, and lets a token pass that meets the challenge', async () => {
    tenant.play('interactionRequired');

    const challenged = await ask();
    const assertion = await userToken({}, { claims: { acrs: [DEMANDED_CONTEXT] } });

    expect(JSON.parse(String(challenged.json['claims']))).toEqual({
      access_token: { acrs: { essential: true, value: DEMANDED_CONTEXT } },
    });
    expect((await ask({ assertion })).status).toBe(200);
  });

  test('remembers who was asked for, with what came of it', async () => {
    const assertion = await userToken();

    await ask({ assertion, claims: '{"access_token":{}}' });
    tenant.play('consentRequired');
    await ask({ assertion });

    const common = { clientId: API, assertion, scope: `${GRAPH}/.default openid profile offline_access` };
    expect(tenant.onBehalfOf).toEqual([
      { ...common, claims: '{"access_token":{}}', outcome: 'granted' },
      { ...common, claims: null, outcome: 'consentRequired' },
    ]);
    expect(tenant.tokenRequests).toBe(2);
    tenant.reset();
    expect([tenant.onBehalfOf, tenant.tokenRequests]).toEqual([[], 0]);
  });
});

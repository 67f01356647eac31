import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { generate } from 'selfsigned';
import { createCertificate } from '../../local/emulators/common/certificate.ts';
import { createTokenRegistry } from '../../local/emulators/common/tokenRegistry.ts';
import { startTenantEmulator, type TenantEmulator } from '../../local/emulators/entra/tenant.ts';
import type { TenantError } from '../../local/emulators/entra/tenantErrors.ts';
import { DEMANDED_CONTEXT, type TokenErrorName } from '../../local/emulators/entra/tenantErrors.ts';
import type { IssueOptions } from '../../local/emulators/entra/tokens.ts';
import { type IdentityEmulator, startIdentityEmulator } from '../../local/emulators/managedIdentity/identity.ts';
import { TOKEN_TIMEOUT_MS } from '../../shared/common/limits.ts';
import type { OnBehalfOfCredentialConfig } from '../../shared/config/onBehalfOf.ts';
import { createUserCredential } from '../../shared/tokens/userCredential.ts';
import { createUserTokens, type UserTokens } from '../../shared/tokens/userTokens.ts';
import { openDeadline } from '../support/builders.ts';

const API = '6a7f0f2e-94d5-4a4e-8a53-0a2a5c2c3f10';
const ADD_IN = 'b4a1c2d3-5e6f-4a7b-8c9d-0e1f2a3b4c5d';
const IDENTITY = '0d3c5a2e-5a5b-4f0e-9f0b-6d1a3a1c7e10';
/** The library keeps an identity's token for the whole process: a test that counts them takes one of its own. */
const COLD_IDENTITY = '1e4d6b3f-6b6c-4a1f-8a1c-7e2b4b2d8f21';
const GRAPH = 'https://graph.microsoft.com';
const SECRET = 'the-secret-of-the-test';
/** 200 fetches at once take seconds of CPU: on a busy machine more than the default timeout. */
const SLOW_MACHINE_MS = 240_000;

/** The real identity library against the emulated tenant, over TLS. */
describe('tokens on behalf of users', () => {
  const registry = createTokenRegistry();
  const trusted = tls.getCACertificates('default');
  const folder = mkdtempSync(path.join(tmpdir(), 'obo-'));
  const certificatePath = path.join(folder, 'app.pem');
  let tenant: TenantEmulator;
  let identity: IdentityEmulator;

  beforeAll(async () => {
    const certificate = await createCertificate();
    tls.setDefaultCACertificates([...trusted, certificate.ca]);
    const app = await generate([{ name: 'commonName', value: 'proxy' }], { keyType: 'rsa', algorithm: 'sha256' });
    writeFileSync(certificatePath, `${app.private}\n${app.cert}`);
    identity = await startIdentityEmulator({ tokens: registry, userAssigned: [IDENTITY, COLD_IDENTITY] });
    Object.assign(process.env, identity.env);
    tenant = await startTenantEmulator({
      certificate,
      tokens: registry,
      clients: [
        { clientId: API, secret: SECRET, assertionKey: app.cert, federatedIdentities: [IDENTITY, COLD_IDENTITY] },
      ],
    });
  });
  afterAll(async () => {
    tls.setDefaultCACertificates(trusted);
    for (const name of Object.keys(identity.env)) delete process.env[name];
    await Promise.all([tenant.close(), identity.close()]);
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    tenant.reset();
    identity.reset();
  });

  const SECRET_CREDENTIAL: OnBehalfOfCredentialConfig = { kind: 'clientSecret', clientSecret: SECRET };
  function federated(clientId: string): OnBehalfOfCredentialConfig {
    return { kind: 'managedIdentity', clientId, exchangeScope: 'api://AzureADTokenExchange/.default' };
  }

  function userTokens(credential = SECRET_CREDENTIAL, maxUsers = 1_000, timeoutMs = TOKEN_TIMEOUT_MS): UserTokens {
    const { tenantId, secureUrl = '' } = tenant;
    const config = { tenantId, clientId: API, authorityHost: secureUrl, credential };
    return createUserTokens({
      createCredential: () => createUserCredential(config, () => {}),
      scope: `${GRAPH}/.default`,
      authorizationUri: `${secureUrl}/${tenantId}/oauth2/v2.0/authorize`,
      maxUsers,
      timeoutMs,
    });
  }

  function userId(number: number): string {
    return `0f8c1f0e-52c0-4f0c-9d52-${String(number).padStart(12, '0')}`;
  }

  function assertionOf(number: number, options: IssueOptions = {}): Promise<string> {
    const subject = { audience: API, appId: ADD_IN, scp: 'UploadSession.Create', oid: userId(number) };
    return tenant.issue(subject, options);
  }

  function assertionsOf(first: number, count: number): Promise<string[]> {
    return Promise.all(Array.from({ length: count }, (_, index) => assertionOf(first + index)));
  }

  test.each([
    ['a client secret', () => SECRET_CREDENTIAL],
    ['a certificate', (): OnBehalfOfCredentialConfig => ({ kind: 'clientCertificate', certificatePath })],
    ['the managed identity', () => federated(IDENTITY)],
  ])('are got with %s', async (_what, credential) => {
    const token = await userTokens(credential()).acquire(await assertionOf(1), openDeadline());

    expect(registry.check(token)).toEqual({ kind: 'valid', audience: GRAPH });
    expect(registry.userOf(token)).toBe(userId(1));
    expect(tenant.onBehalfOf).toEqual([expect.objectContaining({ clientId: API, outcome: 'granted' })]);
  });

  test('are fetched once for each of 200 users at once, each with the own assertion', async () => {
    const tokens = userTokens(federated(COLD_IDENTITY), 1_000, SLOW_MACHINE_MS);
    const assertions = await assertionsOf(1, 200);

    const perUser = await Promise.all(
      assertions.map((assertion) =>
        Promise.all(Array.from({ length: 5 }, () => tokens.acquire(assertion, openDeadline()))),
      ),
    );

    expect(perUser.map((ones) => [...new Set(ones)].map((one) => registry.userOf(one)))).toEqual(
      assertions.map((_, index) => [userId(index + 1)]),
    );
    expect(tenant.onBehalfOf.map(({ assertion }) => assertion).sort()).toEqual([...assertions].sort());
    expect(identity.requests).toHaveLength(1);
  });

  test('are held for a bounded number of users, and nothing else stays behind', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const tokens = userTokens(SECRET_CREDENTIAL, 50, SLOW_MACHINE_MS);
    async function round(first: number): Promise<number> {
      const assertions = await assertionsOf(first, 200);
      await Promise.all(assertions.map((assertion) => tokens.acquire(assertion, openDeadline())));
      expect(tenant.onBehalfOf).toHaveLength(200);
      tenant.reset();
      registry.revokeAll();
      collect();
      return process.memoryUsage().heapUsed;
    }

    const heaps = [];
    for (let first = 1; first <= 2_000; first += 200) heaps.push(await round(first));

    // One client of the identity library with its caches takes 30 kB and more: 1,600 of them would be 48 MB.
    expect((heaps.at(-1) ?? 0) - (heaps[1] ?? 0)).toBeLessThan(8 * 1024 * 1024);
    const [oldest] = await assertionsOf(1, 1);
    await tokens.acquire(oldest ?? '', openDeadline());
    expect(tenant.onBehalfOf).toHaveLength(1);
  });

  const SIGN_IN = 'Bearer error="invalid_token"';
  const CHALLENGE = expect.stringMatching(
    /^Bearer error="insufficient_claims", claims="[A-Za-z0-9+/]+=*", authorization_uri="https:\/\/localhost:\d+\/[0-9a-f-]{36}\/oauth2\/v2\.0\/authorize"$/,
  );

  test.each<[TokenErrorName | TenantError, number, string, unknown]>([
    ['consentRequired', 403, 'ConsentRequired', undefined],
    ['userNotAssigned', 403, 'UserNotAllowed', undefined],
    ['userDisabled', 403, 'UserNotAllowed', undefined],
    ['interactionRequired', 401, 'InteractionRequired', CHALLENGE],
    ['enrolmentRequired', 401, 'InteractionRequired', CHALLENGE],
    ['invalidGrant', 401, 'InteractionRequired', SIGN_IN],
    ['invalidAssertion', 401, 'InvalidAuthenticationToken', SIGN_IN],
    ['wrongAudience', 401, 'InvalidAuthenticationToken', SIGN_IN],
    ['expiredAssertion', 401, 'InvalidAuthenticationToken', SIGN_IN],
    ['appAssertion', 401, 'InvalidAuthenticationToken', SIGN_IN],
    ['clientSecretWrong', 503, 'TokenUnavailable', undefined],
    ['clientSecretExpired', 503, 'TokenUnavailable', undefined],
    ['clientAssertionWrong', 503, 'TokenUnavailable', undefined],
    ['federationUnknown', 503, 'TokenUnavailable', undefined],
    ['unknownApp', 503, 'TokenUnavailable', undefined],
    ['badScope', 503, 'TokenUnavailable', undefined],
    ['throttled', 503, 'TokenUnavailable', undefined],
    ['unavailable', 503, 'TokenUnavailable', undefined],
    ['failing', 503, 'TokenUnavailable', undefined],
    ['garbage', 503, 'TokenUnavailable', undefined],
    ['down', 503, 'TokenUnavailable', undefined],
  ])('are refused as %s says: %i %s', async (name, status, code, challenge) => {
    const tokens = userTokens();
    const assertion = await assertionOf(1);
    tenant.play(name);

    const error = await tokens.acquire(assertion, openDeadline()).catch((caught) => caught);
    tenant.play('none');

    expect(error).toMatchObject({ status, code });
    expect(error.headers['www-authenticate']).toEqual(challenge);
    expect(error.message).not.toMatch(/AADSTS|Trace ID/);
    await tokens.acquire(assertion, openDeadline()); // The refusal was not kept.
  });

  test('survive one connection that broke', async () => {
    const tokens = userTokens();
    tenant.play('down', { on: 'tokenEndpoint', times: 1 });

    const token = await tokens.acquire(await assertionOf(1), openDeadline());

    expect(registry.userOf(token)).toBe(userId(1));
    expect(tenant.tokenRequests).toBe(2);
  });

  test('come with the new token of a user who has met the challenge', async () => {
    const tokens = userTokens();
    tenant.play('interactionRequired');
    const challenged = await tokens.acquire(await assertionOf(1), openDeadline()).catch((error) => error);
    const [, claims = ''] = /claims="([^"]+)"/.exec(challenged.headers['www-authenticate']) ?? [];

    const { access_token } = JSON.parse(Buffer.from(claims, 'base64').toString());
    const assertion = await assertionOf(1, { claims: { acrs: [access_token.acrs.value] } });

    expect(access_token.acrs.value).toBe(DEMANDED_CONTEXT);
    expect(registry.userOf(await tokens.acquire(assertion, openDeadline()))).toBe(userId(1));
  });

  test('declare what the client of the user can handle', async () => {
    const tokens = userTokens();
    await tokens.acquire(await assertionOf(1), openDeadline());
    await tokens.acquire(await assertionOf(2, { claims: { xms_cc: ['cp1'] } }), openDeadline());

    const declared = tenant.onBehalfOf.map(({ claims }) => JSON.parse(claims ?? '{}').access_token?.xms_cc);
    expect(declared).toEqual([undefined, { values: ['cp1'] }]);
  });

  test('are not to be had with a managed identity that the app does not have', async () => {
    const tokens = userTokens(federated(ADD_IN));

    const error = await tokens.acquire(await assertionOf(1), openDeadline()).catch((caught) => caught);

    expect(error).toMatchObject({ status: 503, code: 'TokenUnavailable' });
    expect(tenant.tokenRequests).toBe(0);
  });

  test('are not to be had with a certificate that the registration does not know', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const strange = path.join(folder, 'strange.pem');
    const { cert } = await generate([{ name: 'commonName', value: 'other' }], { keyType: 'rsa', algorithm: 'sha256' });
    writeFileSync(strange, `${privateKey.export({ type: 'pkcs8', format: 'pem' })}\n${cert}`);
    const tokens = userTokens({ kind: 'clientCertificate', certificatePath: strange });

    const error = await tokens.acquire(await assertionOf(1), openDeadline()).catch((caught) => caught);

    expect([error.code, tenant.onBehalfOf[0]?.outcome]).toEqual(['TokenUnavailable', 'clientAssertionWrong']);
  });
});

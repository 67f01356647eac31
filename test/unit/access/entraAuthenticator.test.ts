import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { errors, type JWTVerifyGetKey, SignJWT } from 'jose';
import { functionKeyAuthenticator } from '../../../shared/access/caller.ts';
import { createEntraAuthenticator } from '../../../shared/access/entraAuthenticator.ts';
import { MAX_AUTHORIZATION_LENGTH, TOKEN_CLOCK_SKEW_SECONDS } from '../../../shared/common/limits.ts';
import { ServiceError } from '../../../shared/errors.ts';
import { APP_ID, TENANT_ID, USER_ID } from '../../support/builders.ts';

const NOW_SECONDS = Math.floor(Date.parse('2026-11-29T10:00:00Z') / 1000);
const ROLE = 'UploadSession.Create';
const V2_ISSUER = `https://login.microsoftonline.com/${TENANT_ID}/v2.0`;
const V1_ISSUER = `https://sts.windows.net/${TENANT_ID}/`;

const CONFIG = {
  kind: 'entra',
  tenantId: TENANT_ID,
  audiences: ['api://proxy', APP_ID],
  role: ROLE,
  authorityHost: 'https://login.microsoftonline.com',
} as const;

/** The claims of an app's token of version 2. */
const APP_CLAIMS = {
  iss: V2_ISSUER,
  aud: 'api://proxy',
  tid: TENANT_ID,
  azp: APP_ID.toUpperCase(),
  roles: ['Other.Role', ROLE],
  exp: NOW_SECONDS + 3_600,
  nbf: NOW_SECONDS - 60,
};

/** A claim without a value is left out when the token is written. */
const { roles: _, ...rest } = APP_CLAIMS;
const USER_CLAIMS = { ...rest, scp: `openid ${ROLE}`, oid: USER_ID.toUpperCase() };

const INVALID = {
  code: 'InvalidAuthenticationToken',
  status: 401,
  message: 'The access token is not accepted.',
  headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
};
const INSUFFICIENT = {
  code: 'CallerNotAllowed',
  status: 403,
  headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' },
};

const tenant = generateKeyPairSync('rsa', { modulusLength: 2048 });
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
const lookup: JWTVerifyGetKey = async () => tenant.publicKey;
const { signal } = new AbortController();

beforeEach(() => {
  jest.useFakeTimers({ now: NOW_SECONDS * 1000, doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
});
afterEach(() => jest.useRealTimers());

function sign(claims: Readonly<Record<string, unknown>>, key: KeyObject = tenant.privateKey): Promise<string> {
  return new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256', kid: 'a' }).sign(key);
}

function authenticatorOf(config: Parameters<typeof createEntraAuthenticator>[0] = CONFIG) {
  return createEntraAuthenticator(config, async () => lookup);
}

async function authenticate(claims: Readonly<Record<string, unknown>>) {
  return authenticatorOf().authenticate(`Bearer ${await sign(claims)}`, signal);
}

describe('a caller without a token', () => {
  const untouched = createEntraAuthenticator(CONFIG, () => Promise.reject(new Error('No key is needed.')));

  it('is asked for one, and gets no more details', async () => {
    await expect(untouched.authenticate(null, signal)).rejects.toMatchObject({
      code: 'InvalidAuthenticationToken',
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
    });
  });

  it.each([
    '',
    'Bearer',
    'Bearer ',
    'Basic YTpi',
    'a.b.c',
    'Bearer a.b',
    'Bearer a.b.c.d',
    'Bearer a..c',
    'Bearer a.b.c, Bearer d.e.f',
    'Bearer a.b.c Bearer d.e.f',
    'Bearer a.b.c ',
    'Bearer\ta.b.c',
    ' Bearer a.b.c',
    'Bearer a.b.c\n',
    `Bearer a.b.${'c'.repeat(MAX_AUTHORIZATION_LENGTH)}`,
  ])('is refused before any key is fetched, by a header that is no single bearer token: %#', async (authorization) => {
    await expect(untouched.authenticate(authorization, signal)).rejects.toMatchObject(INVALID);
  });

  it('is refused by the length of the header, from the first character too many on', async () => {
    const longest = `Bearer a.b.${'c'.repeat(MAX_AUTHORIZATION_LENGTH - 'Bearer a.b.'.length)}`;

    await expect(untouched.authenticate(`${longest}c`, signal)).rejects.toMatchObject(INVALID);
    await expect(untouched.authenticate(longest, signal)).rejects.toMatchObject({ code: 'SigningKeysUnavailable' });
  });
});

describe('a token', () => {
  it.each([
    ['version 2', {}],
    ['version 1', { iss: V1_ISSUER, azp: undefined, appid: APP_ID }],
    ['the other audience', { aud: APP_ID }],
    ['several audiences', { aud: ['api://other', 'api://proxy'] }],
  ])('of an app is taken: %s', async (__, claims) => {
    expect(await authenticate({ ...APP_CLAIMS, ...claims })).toEqual({ kind: 'app', appId: APP_ID });
  });

  it.each(['bearer', 'BEARER', 'Bearer '])('is taken behind the scheme %j', async (scheme) => {
    const token = await sign(APP_CLAIMS);

    expect(await authenticatorOf().authenticate(`${scheme} ${token}`, signal)).toMatchObject({ kind: 'app' });
  });

  it.each([
    ['no issuer', { iss: undefined }],
    ['the issuer of another tenant', { iss: 'https://sts.windows.net/11111111-7e57-4ab1-9d2c-3f4e5a6b7c8d/' }],
    ['the issuer of all tenants', { iss: 'https://login.microsoftonline.com/common/v2.0' }],
    ['an issuer that only begins as the right one', { iss: `${V2_ISSUER}/` }],
    ['the issuer of another cloud', { iss: `https://login.microsoftonline.us/${TENANT_ID}/v2.0` }],
    ['no audience', { aud: undefined }],
    ['another audience', { aud: 'api://proxy-of-others' }],
    ['the audience in another letter case', { aud: 'API://proxy' }],
    ['no tenant', { tid: undefined }],
    ['another tenant', { tid: '11111111-7e57-4ab1-9d2c-3f4e5a6b7c8d' }],
    ['no end', { exp: undefined }],
    ['no beginning', { nbf: undefined }],
    ['an end that is no number', { exp: 'never' }],
    ['no calling app', { azp: undefined }],
    ['a calling app that is no GUID', { azp: '*' }],
    ['a calling app that only holds a GUID', { azp: `${APP_ID}/a` }],
    ['a calling app that is a list', { azp: [APP_ID] }],
  ])('is refused with %s', async (__, claims) => {
    await expect(authenticate({ ...APP_CLAIMS, ...claims })).rejects.toMatchObject(INVALID);
  });

  it.each([
    ['is still taken at the end of the clock skew', { exp: NOW_SECONDS - TOKEN_CLOCK_SKEW_SECONDS + 1 }, true],
    ['is refused after its end and the clock skew', { exp: NOW_SECONDS - TOKEN_CLOCK_SKEW_SECONDS }, false],
    ['is taken before its beginning, within the clock skew', { nbf: NOW_SECONDS + TOKEN_CLOCK_SKEW_SECONDS }, true],
    ['is refused before that', { nbf: NOW_SECONDS + TOKEN_CLOCK_SKEW_SECONDS + 1 }, false],
  ])('%s', async (__, claims, isTaken) => {
    const outcome = authenticate({ ...APP_CLAIMS, ...claims });

    if (isTaken) expect(await outcome).toMatchObject({ kind: 'app' });
    else await expect(outcome).rejects.toMatchObject(INVALID);
  });

  it('is refused once its time has passed, however often it was taken', async () => {
    const authenticator = authenticatorOf();
    const bearer = `Bearer ${await sign(APP_CLAIMS)}`;
    await authenticator.authenticate(bearer, signal);

    jest.setSystemTime((APP_CLAIMS.exp + TOKEN_CLOCK_SKEW_SECONDS) * 1000);

    await expect(authenticator.authenticate(bearer, signal)).rejects.toMatchObject(INVALID);
  });

  it('is refused with a signature of another key', async () => {
    const bearer = `Bearer ${await sign(APP_CLAIMS, stranger.privateKey)}`;

    await expect(authenticatorOf().authenticate(bearer, signal)).rejects.toMatchObject(INVALID);
  });

  it('is refused where a claim was changed after it was signed', async () => {
    const [head, , signature] = (await sign(APP_CLAIMS)).split('.');
    const claims = Buffer.from(JSON.stringify({ ...APP_CLAIMS, roles: [ROLE, 'More'] })).toString('base64url');

    await expect(authenticatorOf().authenticate(`Bearer ${head}.${claims}.${signature}`, signal)).rejects.toMatchObject(
      INVALID,
    );
  });

  it('is refused with another algorithm, before a key is looked up', async () => {
    const lookUp = jest.fn();
    const authenticator = createEntraAuthenticator(CONFIG, async () => lookUp);
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const unsigned = `${encode({ alg: 'none' })}.${encode(APP_CLAIMS)}`;
    const byHash = `${encode({ alg: 'HS256' })}.${encode(APP_CLAIMS)}`;
    const hash = createHmac('sha256', 'the public key').update(byHash).digest('base64url');

    for (const token of [`${unsigned}.YQ`, `${byHash}.${hash}`]) {
      await expect(authenticator.authenticate(`Bearer ${token}`, signal)).rejects.toMatchObject(INVALID);
    }
    expect(lookUp).not.toHaveBeenCalled();
  });

  it('is refused without the reason, which is for the log', async () => {
    const failure: unknown = await authenticate({ ...APP_CLAIMS, aud: 'api://Zq7' }).catch((error: unknown) => error);

    expect(failure).toMatchObject({ ...INVALID, cause: expect.any(errors.JWTClaimValidationFailed) });
    expect(failure instanceof ServiceError && [failure.message, failure.headers, failure.details]).toEqual([
      INVALID.message,
      INVALID.headers,
      [],
    ]);
  });
});

describe('the issuers', () => {
  it.each([
    ['https://login.microsoftonline.us', V1_ISSUER, true],
    ['https://login.microsoftonline.us', `https://login.microsoftonline.us/${TENANT_ID}/v2.0`, true],
    ['https://login.microsoftonline.us', V2_ISSUER, false],
    ['https://login.chinacloudapi.cn', `https://sts.chinacloudapi.cn/${TENANT_ID}/`, true],
    ['https://login.chinacloudapi.cn', `https://login.partner.microsoftonline.cn/${TENANT_ID}/v2.0`, true],
    ['https://login.partner.microsoftonline.cn', `https://login.partner.microsoftonline.cn/${TENANT_ID}/v2.0`, true],
    ['https://login.chinacloudapi.cn', V1_ISSUER, false],
    ['https://login.microsoftonline.com', `https://sts.chinacloudapi.cn/${TENANT_ID}/`, false],
    ['https://evilchinacloudapi.cn', `https://sts.chinacloudapi.cn/${TENANT_ID}/`, false],
  ])('of %s: %s is one: %s', async (authorityHost, iss, isOne) => {
    const bearer = `Bearer ${await sign({ ...APP_CLAIMS, iss })}`;

    const outcome = authenticatorOf({ ...CONFIG, authorityHost }).authenticate(bearer, signal);

    if (isOne) expect(await outcome).toMatchObject({ kind: 'app' });
    else await expect(outcome).rejects.toMatchObject(INVALID);
  });
});

describe('an app', () => {
  it.each([
    ['no roles', undefined],
    ['an empty list of roles', []],
    ['another role', ['UploadSession.CreateAll', 'uploadsession.create']],
    ['the role as a text', ROLE],
    ['the role as a member', { [ROLE]: true }],
  ])('is refused with %s', async (__, roles) => {
    await expect(authenticate({ ...APP_CLAIMS, roles })).rejects.toMatchObject({
      ...INSUFFICIENT,
      message: 'The access token lacks the role that this API demands.',
    });
  });
});

describe('a user', () => {
  it.each([ROLE, `openid ${ROLE}`, `${ROLE} profile`])('is known by a token with the scope %j', async (scp) => {
    const token = await sign({ ...USER_CLAIMS, scp });

    expect(await authenticatorOf().authenticate(`Bearer ${token}`, signal)).toEqual({
      kind: 'delegated',
      appId: APP_ID,
      userId: USER_ID,
      assertion: token,
    });
  });

  it.each([
    ['no scope at all next to the role', ''],
    ['another scope', 'Mail.ReadWrite'],
    ['a scope that only begins as the right one', `${ROLE}.All`],
    ['the scope in another letter case', ROLE.toLowerCase()],
    ['the scope as a list', [ROLE]],
    ['null', null],
  ])('is refused with %s, whatever the roles', async (__, scp) => {
    await expect(authenticate({ ...USER_CLAIMS, roles: [ROLE], scp })).rejects.toMatchObject({
      ...INSUFFICIENT,
      message: 'The access token lacks the scope that this API demands.',
    });
  });

  it.each([
    ['no object id', undefined],
    ['null', null],
    ['an empty object id', ''],
    ['an object id without dashes', USER_ID.replaceAll('-', '')],
    ['an object id in braces', `{${USER_ID}}`],
    ['a name', 'adele@contoso.example'],
    ['more than an object id', `${USER_ID}@contoso.example`],
    ['two object ids', `${USER_ID} ${USER_ID}`],
    ['an object id and a line break', `${USER_ID}\n`],
    ['a wildcard', '*'],
    ['a list', [USER_ID]],
    ['an object', { id: USER_ID }],
    ['a number', 7],
  ])('is refused with %s as oid', async (__, oid) => {
    await expect(authenticate({ ...USER_CLAIMS, oid })).rejects.toMatchObject(INVALID);
  });
});

describe('the signing keys', () => {
  it('are those of the tenant, and are loaded once for all who come', async () => {
    const createKeys = jest.fn(async (_url: string) => lookup);
    const authenticator = createEntraAuthenticator(CONFIG, createKeys);
    const bearer = `Bearer ${await sign(APP_CLAIMS)}`;
    expect(createKeys).not.toHaveBeenCalled();

    await Promise.all([authenticator.authenticate(bearer, signal), authenticator.authenticate(bearer, signal)]);
    await authenticator.authenticate(bearer, signal);

    expect(createKeys.mock.calls).toEqual([[`https://login.microsoftonline.com/${TENANT_ID}/discovery/v2.0/keys`]]);
  });

  it('are loaded again after a load that failed, which is no fault of the token', async () => {
    const createKeys = jest
      .fn(async (_url: string) => lookup)
      .mockRejectedValueOnce(new Error('The library is not there.'));
    const authenticator = createEntraAuthenticator(CONFIG, createKeys);
    const bearer = `Bearer ${await sign(APP_CLAIMS)}`;

    await expect(authenticator.authenticate(bearer, signal)).rejects.toMatchObject({
      code: 'SigningKeysUnavailable',
      status: 503,
      cause: expect.objectContaining({ message: 'The library is not there.' }),
    });
    expect(await authenticator.authenticate(bearer, signal)).toEqual({ kind: 'app', appId: APP_ID });
  });

  it('fail the request where they cannot be fetched, and not the token', async () => {
    const failure = new ServiceError('SigningKeysUnavailable', 'Tokens cannot be verified at the moment.');
    const authenticator = createEntraAuthenticator(CONFIG, async () => () => Promise.reject(failure));

    await expect(authenticator.authenticate(`Bearer ${await sign(APP_CLAIMS)}`, signal)).rejects.toBe(failure);
  });

  it('refuse a token whose key they do not have', async () => {
    const unknown = new errors.JWKSNoMatchingKey();
    const authenticator = createEntraAuthenticator(CONFIG, async () => () => Promise.reject(unknown));

    await expect(authenticator.authenticate(`Bearer ${await sign(APP_CLAIMS)}`, signal)).rejects.toMatchObject({
      ...INVALID,
      cause: unknown,
    });
  });

  it('are waited for no longer than the request has time', async () => {
    const authenticator = createEntraAuthenticator(CONFIG, () => new Promise(() => {}));
    const controller = new AbortController();
    const outcome = authenticator.authenticate(`Bearer ${await sign(APP_CLAIMS)}`, controller.signal);
    const late = new ServiceError('TimedOut', 'The time passed.');

    controller.abort(late);

    await expect(outcome).rejects.toBe(late);
  });
});

describe('functionKeyAuthenticator', () => {
  it('takes everyone whom the platform let through for one caller, whatever the header says', async () => {
    expect(await functionKeyAuthenticator.authenticate('Bearer a.b.c', signal)).toEqual({ kind: 'functionKey' });
    expect(await functionKeyAuthenticator.authenticate(null, signal)).toEqual({ kind: 'functionKey' });
  });
});

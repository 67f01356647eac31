import { setTimeout as delay } from 'node:timers/promises';
import { HOSTILE_TOKENS, type HostileToken } from '../../local/emulators/entra/tokens.ts';
import { MAX_AUTHORIZATION_LENGTH, MAX_REQUEST_BODY_BYTES } from '../../shared/common/limits.ts';
import { type RawAnswer, sendRaw } from '../support/probeApp/sendRaw.ts';
import { errorCode, itemPath, ROLE, startTenantSite, type TenantSite } from '../support/tenantSite.ts';

const APP = 'b4a1c2d3-5e6f-4a7b-8c9d-0e1f2a3b4c5d';
const USERS_APP = 'c5b2d3e4-6f70-4b8c-9dae-1f2a3b4c5d6e';
const USER = '0f8c1f0e-52c0-4f0c-9d52-3f6b7b2a9a44';
const MAILBOX = 'adele@contoso.example';
const PATH = `users/${MAILBOX}/${itemPath('message')}`;

const POLICY = {
  callers: [
    { name: 'Invoices', appId: APP, mailboxes: ['*'], me: MAILBOX, kinds: ['message'] },
    { name: 'Mail add-in', appId: USERS_APP, kinds: ['message'], delegated: true },
  ],
};

const INVALID_TOKEN = 'Bearer error="invalid_token"';

describe('callers with Entra tokens', () => {
  let site: TenantSite;

  beforeAll(async () => {
    site = await startTenantSite({ policy: POLICY, lifetimeSeconds: 2 });
    await delay(2_000); // The warm-up's token has ended: an admitted request must ask for a new one.
  });
  afterAll(() => site.close());
  beforeEach(() => site.forget());

  function expectNothingAsked(): void {
    expect({ graph: site.graph.requests.length, identity: site.identity.requests.length }).toEqual({
      graph: 0,
      identity: 0,
    });
  }

  /** A right token with so many more bytes of claims. */
  function padded(bytes: number): Promise<string> {
    return site.bearer(APP, {}, { claims: { padding: 'x'.repeat(bytes) } });
  }

  function refusal(answer: RawAnswer): unknown[] {
    return [answer.status, errorCode(answer), answer.headers['www-authenticate']];
  }

  const refused = Object.keys(HOSTILE_TOKENS) as HostileToken[];

  test.each(refused)('refuses a hostile token and asks nobody for anything: %s', async (hostile) => {
    const bearers = await Promise.all(([1, 2] as const).map((version) => site.bearer(APP, {}, { hostile, version })));

    for (const bearer of bearers) {
      const answer = await site.openSession({ path: PATH, authorization: [bearer] });

      expect(refusal(answer)).toEqual([401, 'InvalidAuthenticationToken', INVALID_TOKEN]);
    }
    expectNothingAsked();
  });

  test.each([
    ['no role', { roles: [] }],
    ['no roles at all', { roles: undefined }],
    ['another role', { roles: ['UploadSession.CreateAll', 'uploadsession.create'] }],
    ['the role as a text', { roles: ROLE }],
    ['the scope of another API', { roles: undefined, scp: 'Mail.ReadWrite' }],
    ['an empty scope beside the role', { scp: '' }],
  ])('answers 403 to a right token with %s', async (_, claims) => {
    const answer = await site.openSession({ path: PATH, authorization: [await site.bearer(APP, {}, { claims })] });

    expect(refusal(answer)).toEqual([403, 'CallerNotAllowed', 'Bearer error="insufficient_scope"']);
    expectNothingAsked();
  });

  test.each([
    ['no tid', { tid: undefined }],
    ['no exp', { exp: undefined }],
    ['no nbf', { nbf: undefined }],
    ['no aud', { aud: undefined }],
    ['our audience as part of another', { aud: 'api://upload-sessions-of-others' }],
    ['no calling app', { azp: undefined }],
    ['a calling app that is no GUID', { azp: '*' }],
    ['the issuer of all tenants', { iss: 'https://login.microsoftonline.com/common/v2.0' }],
  ])('refuses a signed token with %s', async (_, claims) => {
    const answer = await site.openSession({ path: PATH, authorization: [await site.bearer(APP, {}, { claims })] });

    expect(refusal(answer)).toEqual([401, 'InvalidAuthenticationToken', INVALID_TOKEN]);
    expectNothingAsked();
  });

  test('answers 403 to an app that the policy does not name', async () => {
    const stranger = await site.bearer('d6c3e4f5-7081-4c9d-aebf-2a3b4c5d6e7f');

    const answer = await site.openSession({ path: PATH, authorization: [stranger] });

    expect(refusal(answer)).toEqual([403, 'CallerNotAllowed', undefined]);
    expectNothingAsked();
  });

  test('answers 403 to a delegated token where the policy does not admit one', async () => {
    const delegated = await site.bearer(APP, { scp: ROLE, oid: USER });

    const answers = await Promise.all(
      [`users/${USER}`, `users/${MAILBOX}`, 'me'].map((owner) =>
        site.openSession({ path: `${owner}/${itemPath('message')}`, authorization: [delegated] }),
      ),
    );

    expect(answers.map(refusal)).toEqual(Array(3).fill([403, 'CallerNotAllowed', undefined]));
    expectNothingAsked();
  });

  test('asks for a token, and gives no reason, where none came', async () => {
    const answer = await site.openSession({ path: PATH });

    expect(refusal(answer)).toEqual([401, 'InvalidAuthenticationToken', 'Bearer']);
    expectNothingAsked();
  });

  test('says the precise reason in the log and not in the answer', async () => {
    const expired = await site.bearer(APP, {}, { hostile: 'expired' });

    const answer = await site.openSession({ path: PATH, authorization: [expired] });

    const line = await site.findEvent('request', ({ requestId }) => requestId === answer.headers['request-id']);
    expect(line).toMatchObject({ status: 401, code: 'InvalidAuthenticationToken', attempts: 0 });
    expect(line['cause']).toMatch(/"exp" claim/);
    expect(answer.text).not.toMatch(/exp/);
  });

  test('answers a caller without a good token before it has read the body', async () => {
    const bearers = [undefined, await site.bearer(APP, {}, { hostile: 'wrongAudience' })];

    for (const bearer of bearers) {
      const answer = await sendRaw(
        site.url,
        {
          method: 'POST',
          target: `/api/${PATH}`,
          headers: [
            ...['Content-Type', 'application/json', 'Transfer-Encoding', 'chunked', 'Expect', '100-continue'],
            ...(bearer === undefined ? [] : ['Authorization', bearer]),
          ],
          body: Buffer.from('{'),
          isUnfinished: true,
        },
        AbortSignal.timeout(60_000),
      );

      expect([answer.status, errorCode(answer)]).toEqual([401, 'InvalidAuthenticationToken']);
    }
    expectNothingAsked();
  });

  test('takes no body over the limit, whoever sends it', async () => {
    const answer = await sendRaw(
      site.url,
      {
        method: 'POST',
        target: `/api/${PATH}`,
        headers: [
          ...['Content-Type', 'application/json', 'Transfer-Encoding', 'chunked'],
          ...['Authorization', await site.bearer(APP)],
        ],
        body: Buffer.alloc(MAX_REQUEST_BODY_BYTES + 1, ' '),
      },
      AbortSignal.timeout(60_000),
    );

    expect([answer.status, errorCode(answer)]).toEqual([413, 'RequestBodyTooLarge']);
    expectNothingAsked();
  });

  test.each([
    `users/${MAILBOX}`,
    'users/87d349ed-44d7-43e1-9a83-5f2406dee5bd',
    'groups/87d349ed-44d7-43e1-9a83-5f2406dee5bd',
  ])('keeps a delegated token out of %s', async (owner) => {
    const bearer = await site.bearer(USERS_APP, { scp: ROLE, oid: USER });
    const kind = owner.startsWith('groups') ? 'post' : 'message';

    const answer = await site.openSession({ path: `${owner}/${itemPath(kind)}`, kind, authorization: [bearer] });

    expect(refusal(answer)).toEqual([403, 'CallerNotAllowed', undefined]);
    expectNothingAsked();
  });

  test('asks for a token and Graph once the caller is admitted', async () => {
    const answer = await site.openSession({ path: PATH, authorization: [await site.bearer(APP)] });

    expect([answer.status, site.identity.requests.length, site.graph.requests.length]).toEqual([201, 1, 1]);
  });

  test.each([1, 2] as const)('takes a token of version %i with the role', async (version) => {
    const bearer = await site.bearer(APP, {}, { version });

    const answer = await site.openSession({ path: PATH, authorization: [bearer] });

    expect(answer.status).toBe(201);
    expect(site.graph.requests.map(({ path }) => path)).toEqual([
      '/v1.0/users/adele%40contoso.example/messages/AAMkAG1%3D/attachments/createUploadSession',
    ]);
    expect(site.graph.requests[0]?.headers.authorization).not.toBe(bearer);
  });

  test('takes a token of the greatest length, and no longer one', async () => {
    const padding = MAX_AUTHORIZATION_LENGTH - (await padded(0)).length;
    const [longest, tooLong] = [await padded(padding * 0.75 - 2), await padded(padding * 0.75 + 2)];
    expect(longest.length).toBeLessThanOrEqual(MAX_AUTHORIZATION_LENGTH);
    expect(tooLong.length).toBeGreaterThan(MAX_AUTHORIZATION_LENGTH);

    const answers = [
      await site.openSession({ path: PATH, authorization: [longest] }),
      await site.openSession({ path: PATH, authorization: [tooLong] }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([201, 401]);
  });

  test('bears a clock that is half a minute off', async () => {
    const nowSeconds = Math.floor(Date.now() / 1000);
    const bearers = await Promise.all(
      [{ exp: nowSeconds - 30 }, { nbf: nowSeconds + 30 }].map((claims) => site.bearer(APP, {}, { claims })),
    );

    const answers = await Promise.all(
      bearers.map((bearer) => site.openSession({ path: PATH, authorization: [bearer] })),
    );

    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
  });

  test.each(['me', `users/${USER}`, `users/${USER.toUpperCase()}`, `users('${USER}')`])(
    "lets a delegated token into its own user's mailbox as %s",
    async (owner) => {
      const bearer = await site.bearer(USERS_APP, { scp: `openid ${ROLE}`, oid: USER });

      const answer = await site.openSession({ path: `${owner}/${itemPath('message')}`, authorization: [bearer] });

      expect(answer.status).toBe(201);
      expect(site.graph.requests[0]?.path.toLowerCase()).toMatch(new RegExp(`^/v1.0/users/${USER}/`));
    },
  );
});

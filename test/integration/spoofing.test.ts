import { errorCode, itemPath, ROLE, startTenantSite, type TenantSite } from '../support/tenantSite.ts';

const TRUSTED = '1f0e2d3c-4b5a-4968-8776-655443322110';
const OTHER = '2a1b3c4d-5e6f-4071-8293-a4b5c6d7e8f9';
const MAILBOX = 'adele@contoso.example';
const PATH = `users/${MAILBOX}/${itemPath('message')}`;
const POLICY = {
  callers: [
    { name: 'Trusted', appId: TRUSTED, mailboxes: [MAILBOX], kinds: ['message'] },
    { name: 'Other', appId: OTHER, mailboxes: ['other@contoso.example'], kinds: ['message'] },
    { name: 'Key holders', functionKey: true, mailboxes: ['*'], kinds: ['message'] },
  ],
};

/** What App Service authentication would set for the trusted app (learn.microsoft.com/azure/app-service/configure-authentication-user-identities). */
const PRINCIPAL = Buffer.from(
  JSON.stringify({
    auth_typ: 'aad',
    name_typ: 'name',
    role_typ: 'roles',
    claims: [
      { typ: 'azp', val: TRUSTED },
      { typ: 'appid', val: TRUSTED },
      { typ: 'roles', val: ROLE },
    ],
  }),
).toString('base64');
const PRINCIPAL_HEADERS = [
  ...['X-MS-CLIENT-PRINCIPAL', PRINCIPAL, 'X-MS-CLIENT-PRINCIPAL-ID', TRUSTED],
  ...['X-MS-CLIENT-PRINCIPAL-NAME', 'Trusted', 'X-MS-CLIENT-PRINCIPAL-IDP', 'aad'],
];

describe.each([
  { platform: 'with platform authentication off', settings: {} },
  // The Functions library believes the headers then; the app does not.
  { platform: 'with platform authentication on', settings: { WEBSITE_AUTH_ENABLED: 'true' } },
])('an identity that no Authorization header proves, $platform', ({ settings }) => {
  let site: TenantSite;
  let good: string;
  let goodToken: string;
  let others: string;

  beforeAll(async () => {
    site = await startTenantSite({ policy: POLICY, settings });
    good = await site.bearer(TRUSTED);
    goodToken = good.slice('Bearer '.length);
    others = await site.bearer(OTHER);
  });
  afterAll(() => site.close());
  beforeEach(() => site.forget());

  async function answerTo(headers: readonly string[], authorization: readonly string[] = [], query = '') {
    const answer = await site.openSession({ path: `${PATH}${query}`, headers, authorization });
    return [answer.status, errorCode(answer), site.graph.requests.length];
  }

  test('believes the good token', async () => {
    expect(await answerTo([], [good])).toEqual([201, undefined, 1]);
    expect(await answerTo([], [`bEARER ${goodToken}`])).toEqual([201, undefined, 2]);
  });

  test.each([
    ['the principal', () => PRINCIPAL_HEADERS],
    ['the principal without its name', () => PRINCIPAL_HEADERS.slice(0, 2)],
    ['a principal that is no JSON', () => ['X-MS-CLIENT-PRINCIPAL', 'e', 'X-MS-CLIENT-PRINCIPAL-ID', TRUSTED]],
    ["the platform's copy of the token", () => ['X-MS-TOKEN-AAD-ACCESS-TOKEN', goodToken]],
    ["the platform's copy of the id token", () => ['X-MS-TOKEN-AAD-ID-TOKEN', goodToken]],
    ['a session token', () => ['X-ZUMO-AUTH', goodToken]],
    ['another Authorization header', () => ['X-Authorization', good, 'Proxy-Authorization', good]],
    ['a forwarded Authorization header', () => ['X-Forwarded-Authorization', good, 'X-Original-Authorization', good]],
    ['a cookie', () => ['Cookie', `AppServiceAuthSession=${goodToken}; access_token=${goodToken}`]],
    ['a function key', () => ['X-Functions-Key', goodToken]],
  ])('does not believe %s', async (_, headers) => {
    expect(await answerTo(headers())).toEqual([401, 'InvalidAuthenticationToken', 0]);
  });

  test.each(['access_token', 'code', 'token', 'Authorization', 'bearer'])(
    'does not believe a token in ?%s=',
    async (name) => {
      const query = `?${name}=${goodToken}`;

      expect(await answerTo([], [], query)).toEqual([401, 'InvalidAuthenticationToken', 0]);
    },
  );

  test.each([
    ['the good token and another', () => [good, others]],
    ['another and the good token', () => [others, good]],
    ['the good token twice', () => [good, good]],
    ['an empty one first', () => ['', good]],
    ['the good token and Basic', () => [good, 'Basic YTpi']],
  ])('does not believe Authorization sent twice: %s', async (_, authorization) => {
    expect(await answerTo([], authorization())).toEqual([401, 'InvalidAuthenticationToken', 0]);
  });

  test.each([
    ['two tokens', () => `${good}, ${others}`],
    ['two tokens and no blank', () => `${good},${others}`],
    ['a token and a parameter', () => `${good}; role=${ROLE}`],
    ['only the token', () => goodToken],
    ['another scheme', () => `Basic ${goodToken}`],
    ['no token', () => 'Bearer'],
    ['an encrypted form with five parts', () => `${good}.a.b`],
  ])('does not believe an Authorization header with %s', async (_, authorization) => {
    expect(await answerTo([], [authorization()])).toEqual([401, 'InvalidAuthenticationToken', 0]);
  });

  test("does not lend one caller another's principal", async () => {
    const answer = await answerTo([...PRINCIPAL_HEADERS, 'X-MS-TOKEN-AAD-ACCESS-TOKEN', goodToken], [others]);

    expect(answer).toEqual([403, 'CallerNotAllowed', 0]);
  });

  test('lets no header, query or body choose the mailbox', async () => {
    const headers = [
      'X-AnchorMailbox',
      MAILBOX,
      'X-MS-CLIENT-PRINCIPAL-NAME',
      MAILBOX,
      'X-HTTP-Method-Override',
      'GET',
    ];
    const path = `users/megan@contoso.example/${itemPath('message')}?mailbox=${MAILBOX}`;

    const answer = await site.openSession({ path, headers, authorization: [good] });

    expect([answer.status, site.graph.requests.length]).toEqual([403, 0]);
  });
});

import fc from 'fast-check';
import { DEMANDED_CONTEXT, type TokenErrorName } from '../../local/emulators/entra/tenantErrors.ts';
import { HOSTILE_TOKENS, type HostileToken, type IssueOptions } from '../../local/emulators/entra/tokens.ts';
import { ADELE, MARKETING, MEGAN } from '../../local/emulators/graph/seed.ts';
import type { ItemKind } from '../../shared/paths/entityModel.ts';
import type { RawAnswer } from '../support/probeApp/sendRaw.ts';
import { errorCode, ROLE, startTenantSite, type TenantSite } from '../support/tenantSite.ts';

const ADD_IN = 'b4a1c2d3-5e6f-4a7b-8c9d-0e1f2a3b4c5d';
const NARROW = 'c5b2d3e4-6f70-4b8c-9dae-1f2a3b4c5d6e';
const INVOICES = 'd6c3e4f5-7081-4c9d-aebf-2a3b4c5d6e7f';
const KINDS: readonly ItemKind[] = ['message', 'event', 'todoTask', 'outlookTask', 'post'];
const AS_USER = { delegated: true, actsAs: 'user', kinds: KINDS };
const USERS_ALONE = {
  callers: [
    { name: 'Mail add-in', appId: ADD_IN, ...AS_USER },
    { name: 'Narrow', appId: NARROW, ...AS_USER, groups: [], mailboxes: [] },
  ],
};
const BOTH = {
  callers: [
    { name: 'Mail add-in', appId: ADD_IN, ...AS_USER },
    { name: 'Invoices', appId: INVOICES, mailboxes: ['*'], kinds: ['message'] },
  ],
};

const ACTION = 'attachments/createUploadSession';
const [message] = ADELE.items.message;
const [list] = ADELE.items.todoTaskList;
const [task] = ADELE.items.todoTask;
const POST = `threads/${MARKETING.items.thread[0]}/posts/${MARKETING.items.post[0]}`;

/** An item of each family as a signed-in user names it, and as Graph must see it. */
const FAMILIES: readonly [ItemKind, string, string][] = [
  ['message', `me/messages/${message}`, `/v1.0/me/messages/${message}`],
  ['message', `beta/users/${ADELE.id}/messages/${message}`, `/beta/users/${ADELE.id}/messages/${message}`],
  ['event', `me/events/${ADELE.items.event[0]}`, `/v1.0/me/events/${ADELE.items.event[0]}`],
  ['todoTask', `me/todo/lists/${list}/tasks/${task}`, `/v1.0/me/todo/lists/${list}/tasks/${task}`],
  [
    'outlookTask',
    `me/outlook/tasks/${ADELE.items.outlookTask[0]}`,
    `/beta/me/outlook/tasks/${ADELE.items.outlookTask[0]}`,
  ],
  ['post', `me/joinedGroups/${MARKETING.id}/${POST}`, `/v1.0/groups/${MARKETING.id}/${POST}`],
  ['post', `groups/${MARKETING.id}/${POST}`, `/v1.0/groups/${MARKETING.id}/${POST}`],
];

function refusal(answer: RawAnswer): unknown[] {
  return [answer.status, errorCode(answer)];
}

/** Whose token each call to Graph carried: a user's object id, or 'app'. */
function seenByGraph({ graph, identity }: TenantSite): string[] {
  return graph.requests.map(({ headers }) => userOf(identity, headers.authorization));
}

function userOf({ tokens }: TenantSite['identity'], authorization: string | undefined): string {
  return tokens.userOf(authorization?.replace('Bearer ', '') ?? '') ?? 'app';
}

describe('callers that act as their users', () => {
  let site: TenantSite;

  beforeAll(async () => {
    site = await startTenantSite({
      policy: USERS_ALONE,
      onBehalfOf: {},
      graph: { appOnlyFamilies: 'asGraph', anyItem: false },
    });
  });
  afterAll(() => site.close());
  beforeEach(() => site.forget());

  function bearer(user: string, options: IssueOptions = {}, appId = ADD_IN): Promise<string> {
    return site.bearer(appId, { scp: ROLE, oid: user }, options);
  }

  async function open(item: string, authorization: string, kind: ItemKind = 'message'): Promise<RawAnswer> {
    return site.openSession({ path: `${item}/${ACTION}`, kind, authorization: [authorization] });
  }

  async function openOwn(options: IssueOptions = {}): Promise<RawAnswer> {
    return open(`me/messages/${message}`, await bearer(ADELE.id, options));
  }

  function askedForApp(): unknown[] {
    return site.identity.requests.filter(({ resource }) => resource === site.graph.url);
  }

  test.each(FAMILIES)('open a session on a %s, %s, with the token of the user', async (kind, item, upstream) => {
    const answer = await open(item, await bearer(ADELE.id), kind);

    expect(answer.status).toBe(kind === 'todoTask' ? 200 : 201);
    expect(site.graph.requests.map((request) => decodeURIComponent(request.path))).toEqual([`${upstream}/${ACTION}`]);
    expect(seenByGraph(site)).toEqual([ADELE.id]);
    expect(askedForApp()).toEqual([]);
  });

  test('need no token of the app, from its start on', async () => {
    const ready = await fetch(`${site.api}/health/ready`);

    expect(await ready.json()).toMatchObject({ status: 'ready', checks: { token: 'none' } });
    expect(askedForApp()).toEqual([]);
  });

  test("are answered with Graph's own refusal where the user may not", async () => {
    const answer = await open(`users/${MEGAN.id}/messages/${MEGAN.items.message[0]}`, await bearer(ADELE.id));

    expect(refusal(answer)).toEqual([403, 'ErrorAccessDenied']);
    expect(seenByGraph(site)).toEqual([ADELE.id]);
  });

  test.each([`groups/${MARKETING.id}/${POST}`, `users/${ADELE.userPrincipalName}/messages/${message}`])(
    'are kept by the lists of the policy from %s',
    async (item) => {
      const kind = item.startsWith('groups') ? 'post' : 'message';

      const answer = await open(item, await bearer(ADELE.id, {}, NARROW), kind);

      expect(refusal(answer)).toEqual([403, 'CallerNotAllowed']);
      expect([site.tenant.tokenRequests, site.graph.requests.length]).toEqual([0, 0]);
    },
  );

  const hostile = (Object.keys(HOSTILE_TOKENS) as HostileToken[]).filter((name) => name !== 'oversized');

  test.each(hostile)('cannot have a hostile token exchanged: %s', async (name) => {
    for (const version of [1, 2] as const) {
      expect(refusal(await openOwn({ hostile: name, version }))).toEqual([401, 'InvalidAuthenticationToken']);
    }
    expect([site.tenant.tokenRequests, site.graph.requests.length]).toEqual([0, 0]);
  });

  test("cannot call with the application's own token", async () => {
    const answer = await open(`users/${ADELE.id}/messages/${message}`, await site.bearer(ADD_IN));

    expect(refusal(answer)).toEqual([403, 'CallerNotAllowed']);
    expect([site.tenant.tokenRequests, site.graph.requests.length]).toEqual([0, 0]);
  });

  test('have a token exchanged once, also of version 1', async () => {
    const token = await bearer(ADELE.id, { version: 1 });

    const answers = [await open(`me/messages/${message}`, token), await open(`me/messages/${message}`, token)];

    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect(site.tenant.onBehalfOf.map(({ outcome }) => outcome)).toEqual(['granted']);
  });

  test.each<[TokenErrorName, number, string, RegExp | undefined]>([
    ['consentRequired', 403, 'ConsentRequired', undefined],
    ['userNotAssigned', 403, 'UserNotAllowed', undefined],
    [
      'interactionRequired',
      401,
      'InteractionRequired',
      /^Bearer error="insufficient_claims", claims="[A-Za-z0-9+/]+=*"/,
    ],
    ['invalidGrant', 401, 'InteractionRequired', /^Bearer error="invalid_token"$/],
    ['invalidAssertion', 401, 'InvalidAuthenticationToken', /^Bearer error="invalid_token"$/],
    ['clientSecretExpired', 503, 'TokenUnavailable', undefined],
    ['federationUnknown', 503, 'TokenUnavailable', undefined],
    ['throttled', 503, 'TokenUnavailable', undefined],
  ])('learn of %s by %i %s, and the log why', async (name, status, code, challenge) => {
    site.tenant.play(name);

    const answer = await openOwn();

    const header = answer.headers['www-authenticate'];
    expect(refusal(answer)).toEqual([status, code]);
    expect(challenge === undefined ? header === undefined : challenge.test(String(header))).toBe(true);
    expect(answer.text).not.toMatch(/AADSTS/);
    const line = await site.findEvent('request', ({ requestId }) => requestId === answer.headers['request-id']);
    expect(line).toMatchObject({ actsAs: 'user', cause: expect.stringMatching(/AADSTS\d+/) });
    expect(site.graph.requests).toEqual([]);
  });

  /** The challenge of an answer, as the client of the user reads it. */
  function challengeOf({ headers }: RawAnswer): { access_token: Record<string, { value: string }> } {
    const [, claims = ''] = /claims="([^"]+)"/.exec(String(headers['www-authenticate'])) ?? [];
    return JSON.parse(Buffer.from(claims, 'base64').toString());
  }

  test('go on with a new token that meets the challenge of Entra', async () => {
    site.tenant.play('interactionRequired');
    const { access_token } = challengeOf(await openOwn());

    const answer = await openOwn({ claims: { acrs: [access_token['acrs']?.value] } });

    expect([access_token['acrs']?.value, answer.status]).toEqual([DEMANDED_CONTEXT, 201]);
  });

  test('are challenged by Graph where their sessions were revoked, and go on with a new token', async () => {
    const before = await bearer(ADELE.id, { claims: { xms_cc: ['cp1'] } });
    await open(`me/messages/${message}`, before);
    site.identity.tokens.revokeUser(ADELE.id);

    const challenged = await open(`me/messages/${message}`, before);

    expect(refusal(challenged)).toEqual([401, 'InteractionRequired']);
    expect(challengeOf(challenged).access_token).toHaveProperty('nbf.value');
    expect((await openOwn()).status).toBe(201);
    expect(new Set(seenByGraph(site))).toEqual(new Set([ADELE.id]));
  });

  test('get a new token for one that Graph no longer takes, and nobody else’s', async () => {
    const token = await bearer(ADELE.id);
    const [other] = [await bearer(MEGAN.id), await open(`me/messages/${message}`, token)];
    await open(`me/messages/${MEGAN.items.message[0]}`, other);

    const answer = await open('me/messages/error=status401;times=1', token);

    expect(answer.status).toBe(201);
    expect(site.graph.requests.map(({ status }) => status)).toEqual([201, 201, 401, 201]);
    expect(seenByGraph(site)).toEqual([ADELE.id, MEGAN.id, ADELE.id, ADELE.id]);
    expect(site.tenant.onBehalfOf).toHaveLength(3);
    expect(askedForApp()).toEqual([]);
  });
});

describe('users and an app side by side', () => {
  let site: TenantSite;

  beforeAll(async () => {
    site = await startTenantSite({ policy: BOTH, onBehalfOf: {} });
  });
  afterAll(() => site.close());
  beforeEach(() => site.forget());

  function userId(number: number): string {
    return `0f8c1f0e-52c0-4f0c-9d52-${String(number).padStart(12, '0')}`;
  }

  test('have 200 users at once exchange one token each', async () => {
    const bearers = await Promise.all(
      Array.from({ length: 200 }, (_, user) => site.bearer(ADD_IN, { scp: ROLE, oid: userId(user) })),
    );

    const answers = await Promise.all(
      [...bearers, ...bearers].map((bearer) =>
        site.openSession({ path: `me/messages/${message}/${ACTION}`, authorization: [bearer] }),
      ),
    );

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(site.tenant.onBehalfOf.map(({ assertion }) => `Bearer ${assertion}`).sort()).toEqual([...bearers].sort());
    expect(seenByGraph(site).sort()).toEqual(bearers.flatMap((_, user) => [userId(user), userId(user)]).sort());
  });

  test("never send a user's request with another's token or the app's, nor the app's with a user's", async () => {
    const caller = fc.record({
      kind: fc.constantFrom('user', 'user', 'app'),
      user: fc.nat(3),
      session: fc.nat(1),
      isRefused: fc.boolean(),
    });
    const bearers = new Map<string, string>();
    await fc.assert(
      fc.asyncProperty(fc.array(caller, { minLength: 1, maxLength: 12 }), async (callers) => {
        site.graph.reset();
        const expected = new Map<string, string>();
        await Promise.all(
          callers.map(async ({ kind, user, session, isRefused }) => {
            const key = `${kind} ${user} ${session}`;
            const subject = kind === 'user' ? { scp: ROLE, oid: userId(user) } : {};
            const bearer = bearers.get(key) ?? (await site.bearer(kind === 'user' ? ADD_IN : INVOICES, subject));
            bearers.set(key, bearer);
            const id = crypto.randomUUID();
            expected.set(id, kind === 'user' ? userId(user) : 'app');
            const owner = kind === 'user' ? 'me' : `users/${userId(user)}`;
            const headers = ['client-request-id', id];
            const item = isRefused ? `error=status401;times=1;nonce=${id}` : message;
            const answer = await site.openSession({
              path: `${owner}/messages/${item}/${ACTION}`,
              authorization: [bearer],
              headers,
            });
            expect(answer.status).toBe(201);
          }),
        );

        for (const { path, headers } of site.graph.requests) {
          const whose = expected.get(String(headers['client-request-id']));
          expect(userOf(site.identity, headers.authorization)).toBe(whose);
          expect(path.startsWith('/v1.0/me/')).toBe(whose !== 'app');
        }
      }),
      { numRuns: 40 },
    );
  });
});

import { USER_ID } from '../support/builders.ts';
import { errorCode, itemPath, ROLE, startTenantSite, type TenantSite } from '../support/tenantSite.ts';

const ATTACHER = '1f0e2d3c-4b5a-4968-8776-655443322110';
const ASSISTANT = '2a1b3c4d-5e6f-4071-8293-a4b5c6d7e8f9';
const POLICY = {
  callers: [
    { name: 'Attacher', appId: ATTACHER, mailboxes: ['*'], kinds: ['message'], operations: ['attach'] },
    { name: 'Assistant', appId: ASSISTANT, delegated: true, actsAs: 'user', kinds: ['message'] },
  ],
};

describe('the policy', () => {
  let site: TenantSite;

  beforeAll(async () => {
    // A registration that the tenant does not know: there is never a token for a user.
    site = await startTenantSite({ policy: POLICY, settings: { OBO_CLIENT_ID: ATTACHER } });
  });
  afterAll(() => site.close());
  beforeEach(() => site.forget());

  async function ask(path: string, bearer: string) {
    const answer = await site.openSession({ path: `${path}/${itemPath('message')}`, authorization: [bearer] });
    const id = answer.headers['client-request-id'];
    return { answer, line: await site.findEvent('request', ({ clientRequestId }) => clientRequestId === id) };
  }

  test('keeps a session from a caller that may only attach', async () => {
    const { answer, line } = await ask('users/adele@contoso.example', await site.bearer(ATTACHER));

    expect([answer.status, errorCode(answer)]).toEqual([403, 'CallerNotAllowed']);
    expect(line).toMatchObject({ policyPath: '/callers/0/operations', cause: 'denied: operation' });
    expect(site.graph.requests).toEqual([]);
  });

  test("keeps an application's own token out where it acts as the user", async () => {
    const { answer, line } = await ask('users/adele@contoso.example', await site.bearer(ASSISTANT));

    expect([answer.status, errorCode(answer)]).toEqual([403, 'CallerNotAllowed']);
    expect(line).toMatchObject({ policyPath: '/callers/1/actsAs', cause: 'denied: appNotAdmitted' });
    expect(site.graph.requests).toEqual([]);
  });

  test.each(['me', `users/${USER_ID}`, 'users/adele@contoso.example'])(
    "never asks Graph for %s with the app's own token where the caller acts as the user",
    async (owner) => {
      const { answer } = await ask(owner, await site.bearer(ASSISTANT, { scp: ROLE, oid: USER_ID }));

      expect([answer.status, errorCode(answer)]).toEqual([503, 'TokenUnavailable']);
      expect(site.graph.requests).toEqual([]);
    },
  );
});

import { ADELE, MARKETING, MEGAN } from '../../local/emulators/graph/seed.ts';
import type { ItemKind } from '../../shared/paths/entityModel.ts';
import { errorCode, errorMessage, itemPath, startTenantSite, type TenantSite } from '../support/tenantSite.ts';

/** In the order of the policy; the last one is not in it. */
const APPS = {
  Invoices: '1f0e2d3c-4b5a-4968-8776-655443322110',
  Archive: '2a1b3c4d-5e6f-4071-8293-a4b5c6d7e8f9',
  Tasks: '3b2c4d5e-6f70-4182-93a4-b5c6d7e8f90a',
  Newcomer: '4c3d5e6f-7081-4293-a4b5-c6d7e8f90a1b',
  Stranger: '5d4e6f70-8192-43a4-b5c6-d7e8f90a1b2c',
} as const;
type App = keyof typeof APPS;

const POLICY = {
  callers: [
    {
      name: 'Invoices',
      appId: APPS.Invoices.toUpperCase(),
      mailboxes: ['Adele@Contoso.example', MEGAN.id.toUpperCase(), '*@Fabrikam.example'],
      me: 'desk@contoso.example',
      groups: [MARKETING.id],
      kinds: ['message', 'event', 'post'],
      maxBytes: 5_000_000,
    },
    {
      name: 'Archive',
      appId: APPS.Archive,
      mailboxes: ['*'],
      groups: ['*'],
      kinds: ['message', 'event', 'todoTask', 'outlookTask', 'post'],
    },
    { name: 'Tasks', appId: APPS.Tasks, me: ADELE.id, kinds: ['todoTask', 'outlookTask'] },
    { name: 'Newcomer', appId: APPS.Newcomer, kinds: ['message'] },
    { name: 'Key holders', functionKey: true, mailboxes: ['*'], groups: ['*'], kinds: ['message', 'post'] },
  ],
};

const ATTACH = 'attachments/createUploadSession';
const UPN = ADELE.userPrincipalName;

describe('the policy', () => {
  let site: TenantSite;

  beforeAll(async () => {
    site = await startTenantSite({ policy: POLICY });
  });
  afterAll(() => site.close());
  beforeEach(() => site.forget());

  async function ask(app: App, kind: ItemKind, path: string, size = 3_000_000) {
    const answer = await site.openSession({ path, kind, size, authorization: [await site.bearer(APPS[app])] });
    const id = answer.headers['client-request-id'];
    const line = await site.findEvent('request', ({ clientRequestId }) => clientRequestId === id);
    return { answer, line };
  }

  /** The path of an item of the kind; what follows the owner may be given. */
  function pathOf(owner: string, kind: ItemKind, item?: string): string {
    return `${owner}/${item ?? itemPath(kind, owner.toLowerCase().includes('groups') ? 'group' : 'user')}`;
  }

  // The tables' functions take rest parameters: jest hands a `done` to a function with more parameters than the row has.
  test.each<[App, ItemKind, owner: string, sentTo: string, place: string, item?: string]>([
    // Addresses, object ids, domains; letters in any case.
    ['Invoices', 'message', `users/${UPN}`, UPN, '/mailboxes/0'],
    ['Invoices', 'message', 'users/ADELE@CONTOSO.EXAMPLE', 'ADELE@CONTOSO.EXAMPLE', '/mailboxes/0'],
    ['Invoices', 'message', `users/${MEGAN.id}`, MEGAN.id, '/mailboxes/1'],
    ['Invoices', 'message', 'users/anyone@fabrikam.example', 'anyone@fabrikam.example', '/mailboxes/2'],
    ['Invoices', 'message', 'users/Any.One@FABRIKAM.EXAMPLE', 'Any.One@FABRIKAM.EXAMPLE', '/mailboxes/2'],
    // Other spellings of one mailbox.
    ['Invoices', 'message', 'users/adele%40contoso.example', UPN, '/mailboxes/0'],
    ['Invoices', 'message', 'users/%61%64%65%6c%65@contoso%2Eexample', UPN, '/mailboxes/0'],
    ['Invoices', 'message', `users('${UPN}')`, UPN, '/mailboxes/0'],
    ['Invoices', 'message', "users(id='adele%40contoso.example')", UPN, '/mailboxes/0'],
    ['Invoices', 'message', `v1.0/USERS/${UPN}`, UPN, '/mailboxes/0'],
    ['Invoices', 'message', `beta/users/${UPN}`, UPN, '/mailboxes/0'],
    ['Invoices', 'message', `users/megan@contoso.example/../${UPN}`, UPN, '/mailboxes/0'],
    // Mail folders, casts and calendars do not change whose item it is.
    ['Invoices', 'message', `users/${UPN}`, UPN, '/mailboxes/0', `mailFolders/inbox/messages/AAMk2/${ATTACH}`],
    ['Invoices', 'message', `users/${UPN}`, UPN, '/mailboxes/0', `mailFolders/a/childFolders/b/messages/c/${ATTACH}`],
    [
      'Invoices',
      'event',
      `users/${UPN}`,
      UPN,
      '/mailboxes/0',
      `messages/a/microsoft.graph.eventMessage/event/${ATTACH}`,
    ],
    ['Invoices', 'event', `users/${UPN}`, UPN, '/mailboxes/0', `calendars/a/events/b/${ATTACH}`],
    // `me`, and the mailbox that it stands for.
    ['Invoices', 'message', 'me', 'desk@contoso.example', '/me'],
    ['Invoices', 'message', 'users/me', 'desk@contoso.example', '/me'],
    ['Invoices', 'message', "users('Me')", 'desk@contoso.example', '/me'],
    ['Invoices', 'message', 'users/Desk@contoso.example', 'Desk@contoso.example', '/me'],
    ['Tasks', 'todoTask', 'me', ADELE.id, '/me'],
    ['Tasks', 'outlookTask', 'ME', ADELE.id, '/me'],
    ['Archive', 'message', 'me', UPN, '/mailboxes/0'],
    // Groups.
    ['Invoices', 'post', `groups/${MARKETING.id}`, MARKETING.id, '/groups/0'],
    ['Invoices', 'event', `groups/${MARKETING.id}`, MARKETING.id, '/groups/0'],
    ['Invoices', 'post', `me/joinedGroups/${MARKETING.id}`, MARKETING.id, '/groups/0'],
    ['Invoices', 'post', `me/JoinedGroups('${MARKETING.id.toUpperCase()}')`, MARKETING.id.toUpperCase(), '/groups/0'],
    ['Archive', 'post', 'groups/any-group', 'any-group', '/groups/0'],
    // Every mailbox.
    ['Archive', 'todoTask', `users/${ADELE.id}`, ADELE.id, '/mailboxes/0'],
    ['Archive', 'outlookTask', 'users/who@anywhere.example', 'who@anywhere.example', '/mailboxes/0'],
  ])('lets %s attach to a %s of %s', async (...[app, kind, owner, sentTo, place, item]) => {
    const { answer, line } = await ask(app, kind, pathOf(owner, kind, item));

    expect(answer.status).toBe(kind === 'todoTask' ? 200 : 201);
    expect(site.graph.requests.map(({ path }) => decodeURIComponent(path.split('/')[3] ?? ''))).toEqual([sentTo]);
    expect(line['policyPath']).toBe(`/callers/${Object.keys(APPS).indexOf(app)}${place}`);
  });

  test.each<[App, ItemKind, owner: string, asked: string, member: string, item?: string]>([
    // An address does not admit the object id of the same mailbox, nor the other way round.
    ['Invoices', 'message', `users/${ADELE.id}`, ADELE.id, 'mailboxes'],
    ['Invoices', 'message', `users/${MEGAN.userPrincipalName}`, MEGAN.userPrincipalName, 'mailboxes'],
    // A domain admits the addresses of just that domain, and no object id.
    ['Invoices', 'message', 'users/a@sub.fabrikam.example', 'a@sub.fabrikam.example', 'mailboxes'],
    ['Invoices', 'message', 'users/a@notfabrikam.example', 'a@notfabrikam.example', 'mailboxes'],
    ['Invoices', 'message', 'users/a@fabrikam.example.x', 'a@fabrikam.example.x', 'mailboxes'],
    ['Invoices', 'message', 'users/a@fabrikam.example.', 'a@fabrikam.example.', 'mailboxes'],
    ['Invoices', 'message', 'users/@fabrikam.example', '@fabrikam.example', 'mailboxes'],
    ['Invoices', 'message', 'users/fabrikam.example', 'fabrikam.example', 'mailboxes'],
    ['Invoices', 'message', `users/${ADELE.id}@fabrikam.example`, `${ADELE.id}@fabrikam.example`, 'mailboxes'],
    // Letters beyond ASCII are different letters: KELVIN SIGN, LONG S, a full-width @.
    ['Invoices', 'message', 'users/a@fabri%E2%84%AAam.example', 'a@fabri\u212aam.example', 'mailboxes'],
    ['Invoices', 'message', 'users/adele@conto%C5%BFo.example', 'adele@conto\u017fo.example', 'mailboxes'],
    ['Invoices', 'message', 'users/adele%EF%BC%A0contoso.example', 'adele\uff20contoso.example', 'mailboxes'],
    ['Invoices', 'message', `users/${UPN}%20`, `${UPN} `, 'mailboxes'],
    // The spellings of a mailbox that is not admitted.
    ['Invoices', 'message', 'users/MEGAN%40contoso.example', 'MEGAN@contoso.example', 'mailboxes'],
    ['Invoices', 'message', "users('megan@contoso.example')", 'megan@contoso.example', 'mailboxes'],
    ['Invoices', 'message', `users/${UPN}/../megan@contoso.example`, 'megan@contoso.example', 'mailboxes'],
    ['Invoices', 'message', 'users/m@c.example', 'm@c.example', 'mailboxes', `mailFolders/a/messages/b/${ATTACH}`],
    // Groups are no mailboxes, and mailboxes are no groups.
    ['Invoices', 'post', 'groups/other', 'other', 'groups'],
    ['Invoices', 'post', 'me/joinedGroups/other', 'other', 'groups'],
    ['Invoices', 'post', `groups/${UPN}`, UPN, 'groups'],
    ['Invoices', 'message', `users/${MARKETING.id}`, MARKETING.id, 'mailboxes'],
    // Kinds, and lists that are not there.
    ['Invoices', 'todoTask', `users/${UPN}`, UPN, 'kinds'],
    ['Tasks', 'message', 'me', 'me', 'kinds'],
    ['Tasks', 'todoTask', `users/${MEGAN.id}`, MEGAN.id, 'mailboxes'],
    ['Tasks', 'todoTask', `users/${UPN}`, UPN, 'mailboxes'],
    // ME_MAILBOX says what `me` is, and does not admit it.
    ['Newcomer', 'message', 'me', 'me', 'mailboxes'],
    ['Newcomer', 'message', `users/${UPN}`, UPN, 'mailboxes'],
  ])('keeps %s from a %s of %s', async (...[app, kind, owner, asked, member, item]) => {
    const { answer, line } = await ask(app, kind, pathOf(owner, kind, item));

    expect([answer.status, errorCode(answer)]).toEqual([403, 'CallerNotAllowed']);
    const named = asked === 'me' ? 'me' : `${/groups/i.test(owner) ? 'group' : 'mailbox'} '${asked}'`;
    const message = `This caller may not attach a file to a ${kind} of ${named}.`;
    expect(errorMessage(answer)).toBe(message);
    expect(line['policyPath']).toBe(`/callers/${Object.keys(APPS).indexOf(app)}/${member}`);
    expect(line['cause']).toBe(`denied: ${member === 'kinds' ? 'kind' : 'owner'}`);
    expect(site.graph.requests).toEqual([]);
  });

  test('takes a file of maxBytes and no larger one', async () => {
    const path = pathOf(`users/${UPN}`, 'message');

    const most = await ask('Invoices', 'message', path, 5_000_000);
    const more = await ask('Invoices', 'message', path, 5_000_001);
    const unbounded = await ask('Archive', 'message', path, 150_000_000);

    expect([most, more, unbounded].map(({ answer }) => answer.status)).toEqual([201, 403, 201]);
    expect(errorMessage(more.answer)).toMatch(/ a file of more than 5000000 bytes to a message of /);
    expect(more.line).toMatchObject({ policyPath: '/callers/0/maxBytes', cause: 'denied: maxBytes' });
  });

  test('does not take the entry for function keys for a token', async () => {
    const { answer, line } = await ask('Stranger', 'message', pathOf(`users/${UPN}`, 'message'));

    expect([answer.status, errorCode(answer)]).toEqual([403, 'CallerNotAllowed']);
    expect(line).toMatchObject({ policyPath: '/callers', cause: 'denied: unknownCaller', caller: APPS.Stranger });
  });

  test('names the caller in the log as the policy does', async () => {
    const { line } = await ask('Invoices', 'message', pathOf(`users/${UPN}`, 'message'));

    expect(line['caller']).toBe('Invoices');
  });

  test.each([
    'users/adele%2540contoso.example',
    `users/${UPN}%2F..%2Fmegan@contoso.example`,
    'users/..%2Fusers%2Fmegan@contoso.example',
    `users/${UPN}%5C..%5Cmegan@contoso.example`,
    `users/megan@contoso.example%3F${UPN}`,
    'users/megan@contoso.example%23@fabrikam.example',
    'users/megan@contoso.example%0A@fabrikam.example',
  ])('refuses an id that could name another mailbox: %s', async (owner) => {
    const { answer } = await ask('Archive', 'message', pathOf(owner, 'message'));

    expect([answer.status, errorCode(answer)]).toEqual([400, 'InvalidId']);
    expect(site.graph.requests).toEqual([]);
  });
});

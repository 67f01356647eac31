import fc from 'fast-check';
import type { Caller } from '../../../shared/access/caller.ts';
import { type AccessRequest, authorize, callerName } from '../../../shared/access/evaluatePolicy.ts';
import {
  compilePolicy,
  foldCase,
  type PolicyDefaults,
  type PolicyEntry,
  policyWithoutDocument,
} from '../../../shared/access/policy.ts';
import { ITEM_KINDS } from '../../../shared/paths/entityModel.ts';
import { APP_ID, policyEntry, policyOf, USER_ID } from '../../support/builders.ts';

const APP: Caller = { kind: 'app', appId: APP_ID };
const DELEGATED: Caller = { kind: 'delegated', appId: APP_ID, userId: USER_ID };
const DEFAULTS: PolicyDefaults = { meMailbox: undefined, uploadUrl: 'graph' };
const ADELE = 'adele@contoso.example';

const mailbox = (id: string) => ({ kind: 'mailbox', id }) as const;
const group = (id: string) => ({ kind: 'group', id }) as const;
const ME = { kind: 'me' } as const;
const ask = (members: Partial<AccessRequest> = {}): AccessRequest => ({
  operation: 'createUploadSession',
  kind: 'message',
  owner: mailbox(ADELE),
  sizeBytes: 1_000,
  ...members,
});

describe('authorize', () => {
  it.each<[string, Partial<PolicyEntry>, AccessRequest, string]>([
    ['an address', { mailboxes: [ADELE] }, ask(), '/callers/0/mailboxes/0'],
    ['an address in another case', { mailboxes: ['ADELE@contoso.example'] }, ask(), '/callers/0/mailboxes/0'],
    ['the domain', { mailboxes: ['x@y.example', '*@contoso.example'] }, ask(), '/callers/0/mailboxes/1'],
    [
      'an object id',
      { mailboxes: [USER_ID] },
      ask({ owner: mailbox(USER_ID.toUpperCase()) }),
      '/callers/0/mailboxes/0',
    ],
    ['*', { mailboxes: ['*'] }, ask({ owner: mailbox(USER_ID) }), '/callers/0/mailboxes/0'],
    ['me, named by the entry', { me: ADELE }, ask({ owner: ME }), '/callers/0/me'],
    ['the mailbox that is me, by its address', { me: ADELE }, ask(), '/callers/0/me'],
    ['a group', { groups: ['G-1'] }, ask({ kind: 'post', owner: group('g-1') }), '/callers/0/groups/0'],
    ['every group', { groups: ['*'] }, ask({ kind: 'post', owner: group('g-2') }), '/callers/0/groups/0'],
    ['the largest size', { mailboxes: ['*'], maxBytes: 1_000 }, ask(), '/callers/0/mailboxes/0'],
    [
      'a size that nobody knows yet',
      { mailboxes: ['*'], maxBytes: 1 },
      ask({ sizeBytes: undefined }),
      '/callers/0/mailboxes/0',
    ],
    [
      'the one operation that is given',
      { mailboxes: ['*'], operations: ['attach'] },
      ask({ operation: 'attach' }),
      '/callers/0/mailboxes/0',
    ],
  ])('allows by %s', (_, members, asked, policyPath) => {
    expect(authorize(policyOf(members), APP, asked)).toMatchObject({ kind: 'allowed', policyPath });
  });

  it.each<[string, Partial<PolicyEntry>, AccessRequest, string, string]>([
    [
      'another mailbox',
      { mailboxes: [ADELE] },
      ask({ owner: mailbox('megan@contoso.example') }),
      'owner',
      '/mailboxes',
    ],
    [
      'an object id where the address is admitted',
      { mailboxes: [ADELE] },
      ask({ owner: mailbox(USER_ID) }),
      'owner',
      '/mailboxes',
    ],
    ['an address where the object id is admitted', { mailboxes: [USER_ID] }, ask(), 'owner', '/mailboxes'],
    [
      'an object id where the domain is admitted',
      { mailboxes: ['*@contoso.example'] },
      ask({ owner: mailbox(USER_ID) }),
      'owner',
      '/mailboxes',
    ],
    [
      'an object id dressed as an address of the domain',
      { mailboxes: ['*@contoso.example'] },
      ask({ owner: mailbox(`${USER_ID}@contoso.example`) }),
      'owner',
      '/mailboxes',
    ],
    [
      'a KELVIN SIGN instead of a k',
      { mailboxes: ['mark@contoso.example'] },
      ask({ owner: mailbox('mar\u212a@contoso.example') }),
      'owner',
      '/mailboxes',
    ],
    [
      'a group where mailboxes are admitted',
      { mailboxes: ['*'] },
      ask({ kind: 'post', owner: group('g') }),
      'owner',
      '/groups',
    ],
    ['a mailbox where groups are admitted', { groups: ['*'] }, ask(), 'owner', '/mailboxes'],
    ['a mailbox named like an admitted group', { groups: ['g'] }, ask({ owner: mailbox('g') }), 'owner', '/mailboxes'],
    [
      'an event where messages are admitted',
      { mailboxes: ['*'], kinds: ['message'] },
      ask({ kind: 'event' }),
      'kind',
      '/kinds',
    ],
    [
      'a session where files are to be attached',
      { mailboxes: ['*'], operations: ['attach'] },
      ask(),
      'operation',
      '/operations',
    ],
    [
      'a file where sessions are to be opened',
      { mailboxes: ['*'], operations: ['createUploadSession'] },
      ask({ operation: 'attach' }),
      'operation',
      '/operations',
    ],
    [
      'an address where there are no sources',
      { mailboxes: ['*'] },
      ask({ operation: 'attach', sourceUrl: new URL('https://files.contoso.example/a') }),
      'source',
      '/sources',
    ],
    [
      'an address outside of the sources',
      { mailboxes: ['*'], sources: ['https://files.contoso.example/in/'] },
      ask({ operation: 'attach', sourceUrl: new URL('https://files.contoso.example/out/a') }),
      'source',
      '/sources',
    ],
    ['a byte over the largest size', { mailboxes: ['*'], maxBytes: 999 }, ask(), 'maxBytes', '/maxBytes'],
  ])('denies %s', (_, members, asked, reason, member) => {
    expect(authorize(policyOf(members), APP, asked)).toEqual({
      kind: 'denied',
      reason,
      policyPath: `/callers/0${member}`,
      ...(reason === 'maxBytes' && { limitBytes: members.maxBytes }),
    });
  });

  it('denies a caller without an entry, whatever the others may do', () => {
    const policy = policyOf({ mailboxes: ['*'] });

    for (const stranger of [{ kind: 'functionKey' }, { kind: 'app', appId: USER_ID }] as const) {
      expect(authorize(policy, stranger, ask())).toEqual({
        kind: 'denied',
        reason: 'unknownCaller',
        policyPath: '/callers',
      });
    }
  });

  it('denies an app what function key holders may do', () => {
    const policy = policyOf({ functionKey: true, mailboxes: ['*'] });

    expect(authorize(policy, APP, ask())).toMatchObject({ reason: 'unknownCaller' });
    expect(authorize(policy, { kind: 'functionKey' }, ask())).toMatchObject({ kind: 'allowed' });
  });

  it('resolves me to the mailbox of the entry before the one of the settings', () => {
    const decision = authorize(policyOf({ me: ADELE }, 'other@contoso.example'), APP, ask({ owner: ME }));

    expect(decision).toMatchObject({ kind: 'allowed', owner: mailbox(ADELE) });
  });

  it('does not admit ME_MAILBOX by resolving me to it', () => {
    const asked = ask({ owner: ME });

    expect(authorize(policyOf({}, ADELE), APP, asked)).toMatchObject({ kind: 'denied', reason: 'owner' });
    expect(authorize(policyOf({ mailboxes: [ADELE] }, ADELE), APP, asked)).toMatchObject({ kind: 'allowed' });
  });

  it('says so where nothing names me', () => {
    expect(authorize(policyOf({ mailboxes: ['*'] }), APP, ask({ owner: ME }))).toEqual({ kind: 'meUnknown' });
  });

  it('admits a delegated caller to its own user by object id or me, and says by what', () => {
    const policy = policyOf({ delegated: true, me: 'other@contoso.example' });

    for (const owner of [ME, mailbox(USER_ID), mailbox(USER_ID.toUpperCase())]) {
      expect(authorize(policy, DELEGATED, ask({ owner }))).toMatchObject({
        kind: 'allowed',
        policyPath: '/callers/0/delegated',
      });
    }
    expect(authorize(policy, DELEGATED, ask({ owner: ME }))).toHaveProperty('owner', mailbox(USER_ID));
  });

  it('denies a delegated caller every other mailbox and group, whatever the lists say', () => {
    const policy = policyOf({ delegated: true, mailboxes: ['*', ADELE], groups: ['*'], me: ADELE });

    for (const owner of [mailbox(ADELE), mailbox(`${USER_ID}@contoso.example`), group(USER_ID)]) {
      expect(authorize(policy, DELEGATED, ask({ owner }))).toMatchObject({ kind: 'denied', reason: 'owner' });
    }
  });

  it('denies a delegated caller where the entry does not admit one, and its kinds and sizes where it does', () => {
    const asked = ask({ owner: ME });

    expect(authorize(policyOf({ mailboxes: ['*'] }), DELEGATED, asked)).toMatchObject({
      reason: 'delegatedNotAdmitted',
      policyPath: '/callers/0/delegated',
    });
    expect(authorize(policyOf({ delegated: true, kinds: ['event'] }), DELEGATED, asked)).toMatchObject({
      reason: 'kind',
    });
    expect(authorize(policyOf({ delegated: true, maxBytes: 1 }), DELEGATED, asked)).toMatchObject({
      reason: 'maxBytes',
    });
  });

  it('names the source that admits the address', () => {
    const sources = ['https://other.example/', 'https://*.contoso.example/in/'];
    const sourceUrl = new URL('https://files.contoso.example/in/a.pdf');

    const decision = authorize(policyOf({ mailboxes: ['*'], sources }), APP, ask({ operation: 'attach', sourceUrl }));

    expect(decision).toMatchObject({ kind: 'allowed', source: { place: '/callers/0/sources/1', isHostExact: false } });
    expect(authorize(policyOf({ mailboxes: ['*'], sources }), APP, ask())).not.toHaveProperty('source');
  });

  it.each(['graph', 'proxy'] as const)('says that the uploadUrl points at %s', (uploadUrl) => {
    expect(authorize(policyOf({ mailboxes: ['*'], uploadUrl }), APP, ask())).toMatchObject({
      uploadUrl,
      actsAs: 'app',
    });
  });

  describe('for a caller that acts as the user', () => {
    const asUser = { delegated: true, actsAs: 'user' } as const;

    it.each([
      ['me', ask({ owner: ME }), { kind: 'me', id: USER_ID }, '/delegated'],
      ['the user by object id', ask({ owner: mailbox(USER_ID) }), mailbox(USER_ID), '/delegated'],
      ['another mailbox', ask(), mailbox(ADELE), '/actsAs'],
      ['a group', ask({ kind: 'post', owner: group('g') }), group('g'), '/actsAs'],
    ])('leaves %s to Graph, as it is written', (_, asked, owner, place) => {
      expect(authorize(policyOf(asUser, ADELE), DELEGATED, asked)).toEqual({
        kind: 'allowed',
        owner,
        actsAs: 'user',
        uploadUrl: 'graph',
        policyPath: `/callers/0${place}`,
      });
    });

    it('lets present lists narrow all but the own mailbox', () => {
      const policy = policyOf({ ...asUser, mailboxes: ['*@fabrikam.example'], groups: [] });
      const decide = (owner: AccessRequest['owner']) => authorize(policy, DELEGATED, ask({ owner }));

      expect(decide(ME)).toMatchObject({ kind: 'allowed', owner: { kind: 'me' } });
      expect(decide(mailbox(USER_ID))).toMatchObject({ kind: 'allowed' });
      expect(decide(mailbox('a@fabrikam.example'))).toMatchObject({ policyPath: '/callers/0/mailboxes/0' });
      expect(decide(mailbox(ADELE))).toMatchObject({ reason: 'owner', policyPath: '/callers/0/mailboxes' });
      expect(decide(group('g'))).toMatchObject({ reason: 'owner', policyPath: '/callers/0/groups' });
    });

    it("denies the application's own token, which no user stands behind", () => {
      for (const owner of [ME, mailbox(ADELE), group('g')]) {
        expect(authorize(policyOf({ ...asUser, mailboxes: ['*'], groups: ['*'] }), APP, ask({ owner }))).toEqual({
          kind: 'denied',
          reason: 'appNotAdmitted',
          policyPath: '/callers/0/actsAs',
        });
      }
    });

    it('keeps to kinds, operations, sources and sizes', () => {
      const policy = policyOf({ ...asUser, kinds: ['message'], operations: ['attach'], maxBytes: 1_000 });
      const attach = ask({ operation: 'attach', owner: ME });
      const decide = (members: Partial<AccessRequest>) => authorize(policy, DELEGATED, { ...attach, ...members });

      expect(decide({})).toMatchObject({ kind: 'allowed' });
      expect(decide({ kind: 'event' })).toMatchObject({ reason: 'kind' });
      expect(decide({ operation: 'createUploadSession' })).toMatchObject({ reason: 'operation' });
      expect(decide({ sourceUrl: new URL('https://files.contoso.example/') })).toMatchObject({ reason: 'source' });
      expect(decide({ sizeBytes: 1_001 })).toMatchObject({ reason: 'maxBytes' });
    });
  });

  it('resolves me to me only for a user, whatever is asked and given', () => {
    const callers = fc.constantFrom<Caller>(APP, DELEGATED, { kind: 'functionKey' });
    const owners = fc.constantFrom<AccessRequest['owner']>(ME, mailbox(ADELE), mailbox(USER_ID), group('g'));
    const entries = fc.record(
      {
        delegated: fc.boolean(),
        actsAs: fc.constantFrom('app', 'user'),
        mailboxes: fc.subarray(['*', ADELE]),
        groups: fc.subarray(['*', 'g']),
        me: fc.constantFrom(ADELE, USER_ID),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(entries, callers, owners, (members, caller, owner) => {
        const policy = policyOf(caller.kind === 'functionKey' ? { ...members, functionKey: true } : members, ADELE);

        const decision = authorize(policy, caller, ask({ owner }));

        if (decision.kind !== 'allowed') return;
        expect(decision.actsAs).toBe(members.actsAs ?? 'app');
        if (decision.actsAs === 'user') expect(caller.kind).toBe('delegated');
        expect(decision.owner.kind === 'me').toBe(decision.actsAs === 'user' && owner.kind === 'me');
        if (decision.actsAs === 'app' && caller.kind === 'delegated') expect(decision.owner).toEqual(mailbox(USER_ID));
      }),
    );
  });

  it('admits no delegated caller by ALLOW_ANY_MAILBOX', () => {
    const policy = policyWithoutDocument({ ...DEFAULTS, allowAnyMailbox: true });

    expect(authorize(policy, APP, ask())).toMatchObject({ kind: 'allowed', policyPath: 'ALLOW_ANY_MAILBOX' });
    expect(authorize(policy, DELEGATED, ask({ owner: ME }))).toMatchObject({ reason: 'delegatedNotAdmitted' });
  });

  it('allows only what the lists of the entry hold', () => {
    const names = fc.constantFrom(
      ADELE,
      'ADELE@contoso.example',
      'megan@contoso.example',
      'x@fabrikam.example',
      USER_ID,
    );
    const patterns = fc.oneof(names, fc.constantFrom('*', '*@contoso.example', '*@fabrikam.example'));
    fc.assert(
      fc.property(
        fc.record({
          mailboxes: fc.array(patterns, { maxLength: 3 }),
          kinds: fc.subarray([...ITEM_KINDS], { minLength: 1 }),
          maxBytes: fc.integer({ min: 1, max: 10 }),
        }),
        names,
        fc.constantFrom(...ITEM_KINDS),
        fc.integer({ min: 1, max: 10 }),
        (members, id, kind, sizeBytes) => {
          const decision = authorize(policyOf(members), APP, ask({ kind, owner: mailbox(id), sizeBytes }));

          const isListed = members.mailboxes.some((pattern) => {
            const [folded, name] = [foldCase(pattern), foldCase(id)];
            return folded === '*' || folded === name || (folded.startsWith('*@') && name.endsWith(folded.slice(1)));
          });
          const isAdmitted = isListed && members.kinds.includes(kind) && sizeBytes <= members.maxBytes;
          expect(decision.kind).toBe(isAdmitted ? 'allowed' : 'denied');
        },
      ),
    );
  });
});

describe('callerName', () => {
  const policy = compilePolicy(
    { callers: [policyEntry(), policyEntry({ name: 'key holders', functionKey: true })] },
    DEFAULTS,
  );

  it('is the name in the policy', () => {
    expect(callerName(policy, APP)).toBe('newsletter');
    expect(callerName(policy, DELEGATED)).toBe('newsletter');
    expect(callerName(policy, { kind: 'functionKey' })).toBe('key holders');
  });

  it('is what authentication proved where the policy knows no name', () => {
    const nobody = policyWithoutDocument({ ...DEFAULTS, allowAnyMailbox: false });

    expect(callerName(nobody, APP)).toBe(APP_ID);
    expect(callerName(nobody, { kind: 'functionKey' })).toBe('functionKey');
  });
});

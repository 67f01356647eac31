import fc from 'fast-check';
import { authorize } from '../../../shared/access/evaluatePolicy.ts';
import {
  actsForUsersAlone,
  admittedBy,
  compileNames,
  compilePolicy,
  foldCase,
  type PolicyDefaults,
  type PolicyEntry,
  policyWithoutDocument,
} from '../../../shared/access/policy.ts';
import type { TargetOwner } from '../../../shared/paths/target.ts';
import { POLICY_OPERATIONS } from '../../../shared/routes.ts';
import { findSourceRule } from '../../../shared/sources/sourceRules.ts';
import { APP_ID, policyEntry, USER_ID } from '../../support/builders.ts';

const DEFAULTS: PolicyDefaults = { meMailbox: undefined, uploadUrl: 'graph' };
const ASK = { operation: 'attach', kind: 'message', sizeBytes: 1 } as const;

const grantOf = (members: Partial<PolicyEntry> = {}, defaults = DEFAULTS) =>
  compilePolicy({ callers: [policyEntry(members)] }, defaults).apps.get(APP_ID);

describe('foldCase', () => {
  it('folds A to Z', () => {
    expect(foldCase('ADELE@Contoso.Example')).toBe('adele@contoso.example');
  });

  it.each(['\u212a', 'İ', 'ſ', 'É', 'Σ'])('leaves %s alone', (letter) => {
    expect(foldCase(letter)).toBe(letter);
  });

  it('makes two names equal only where they differ in the case of A to Z', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const folded = foldCase(name);

        expect(folded).toHaveLength(name.length);
        expect(foldCase(folded)).toBe(folded);
        for (const [index, unit] of name.split('').entries()) {
          if (folded[index] !== unit) expect(`${unit}${folded[index]}`).toMatch(/^[A-Z][a-z]$/);
        }
      }),
    );
  });
});

describe('admittedBy', () => {
  const names = compileNames(['Adele@contoso.example', USER_ID.toUpperCase(), '*@Fabrikam.Example'], '/m');

  it.each([
    ['adele@contoso.example', '/m/0'],
    ['ADELE@CONTOSO.EXAMPLE', '/m/0'],
    [USER_ID, '/m/1'],
    ['any.one@fabrikam.example', '/m/2'],
    ['ANY@FABRIKAM.EXAMPLE', '/m/2'],
    ["o'neill@fabrikam.example", '/m/2'],
    ['$svc@fabrikam.example', '/m/2'],
    ['Guest_contoso.example#EXT#@fabrikam.example', '/m/2'],
  ])('admits %s by %s', (name, place) => {
    expect(admittedBy(names, name)).toBe(place);
  });

  it.each([
    'megan@contoso.example',
    'adele@contoso.example.evil.example',
    'adele@contoso.example ',
    'any@sub.fabrikam.example',
    'any@evilfabrikam.example',
    'fabrikam.example',
    '@fabrikam.example',
    '*@fabrikam.example.',
    '48d31887-5fad-4d73-a9f5-3c356e68a038',
    `${USER_ID}@fabrikam.example`,
    `${USER_ID.toUpperCase()}@fabrikam.example`,
    'any@fabri\u212aam.example',
    'megan@contoso.example#@fabrikam.example',
    '',
    '__proto__',
  ])('does not admit %s', (name) => {
    expect(admittedBy(names, name)).toBeUndefined();
  });

  it('admits every name by *, the place being the first *', () => {
    const any = compileNames(['adele@contoso.example', '*', '*'], '/m');

    expect(admittedBy(any, USER_ID)).toBe('/m/1');
    expect(admittedBy(any, 'adele@contoso.example')).toBe('/m/0');
  });

  it('admits nothing by an empty list', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        expect(admittedBy(compileNames([], '/m'), name)).toBeUndefined();
      }),
    );
  });
});

describe('compilePolicy', () => {
  it('gives each caller its own grant, found without regard to the case of its id', () => {
    const other = '2a7d4b63-0e1c-4f80-9b74-6c5d3e2f1a08';
    const policy = compilePolicy(
      {
        callers: [
          policyEntry({ name: 'first', appId: APP_ID.toUpperCase() }),
          policyEntry({ name: 'second', functionKey: true }),
          policyEntry({ name: 'third', appId: other }),
        ],
      },
      DEFAULTS,
    );

    expect(policy.apps.get(APP_ID)).toMatchObject({ name: 'first', policyPath: '/callers/0' });
    expect(policy.functionKey).toMatchObject({ name: 'second', policyPath: '/callers/1' });
    expect(policy.apps.get(other)).toMatchObject({ name: 'third', policyPath: '/callers/2' });
    expect(policy.anyApp).toBeUndefined();
  });

  it('grants no mailbox, no group, no delegated token and no limit of bytes of its own accord', () => {
    const grant = grantOf();

    expect(grant).toMatchObject({ me: undefined, delegated: false, maxBytes: Number.POSITIVE_INFINITY });
    expect(grant?.mailboxes).toEqual(compileNames([], ''));
    expect(grant?.groups).toEqual(compileNames([], ''));
  });

  it('takes ME_MAILBOX where the entry names no me, without admitting it', () => {
    const grant = grantOf({}, { ...DEFAULTS, meMailbox: 'adele@contoso.example' });

    expect(grant?.me).toBe('adele@contoso.example');
    expect(grant && admittedBy(grant.mailboxes, 'adele@contoso.example')).toBeUndefined();
  });

  it('admits the mailbox that the entry names as me', () => {
    const grant = grantOf({ me: 'Adele@contoso.example' }, { ...DEFAULTS, meMailbox: 'other@x.example' });

    expect(grant?.me).toBe('Adele@contoso.example');
    expect(grant && admittedBy(grant.mailboxes, 'adele@contoso.example')).toBe('/callers/0/me');
    expect(grant && admittedBy(grant.mailboxes, 'other@x.example')).toBeUndefined();
  });
});

describe('operations', () => {
  /** An operation that a later version adds. */
  const withNewOperation = (run: () => void) => {
    const length = POLICY_OPERATIONS.length;
    Object.assign(POLICY_OPERATIONS, { [length]: 'sendMail' });
    try {
      run();
    } finally {
      Object.assign(POLICY_OPERATIONS, { length });
    }
  };

  it('do not include a new operation if an entry lists none', () => {
    withNewOperation(() => {
      expect([...(grantOf()?.operations ?? [])]).toEqual(['createUploadSession', 'attach']);
    });
  });

  it.each([
    { meMailbox: 'a@b.example', allowAnyMailbox: false },
    { meMailbox: undefined, allowAnyMailbox: true },
  ])('do not include a new operation without a policy document (%j)', (settings) => {
    withNewOperation(() => {
      const { functionKey, anyApp } = policyWithoutDocument({ ...DEFAULTS, ...settings });

      const grants = [functionKey, anyApp].filter((grant) => grant !== undefined);
      expect(grants.map(({ operations }) => [...operations])).toEqual(
        grants.map(() => ['createUploadSession', 'attach']),
      );
    });
  });
});

describe('actsForUsersAlone', () => {
  const other = '2a7d4b63-0e1c-4f80-9b74-6c5d3e2f1a08';
  const user = { delegated: true, actsAs: 'user' } as const;

  it.each([
    ['no caller', [], false],
    ['one that acts as its user', [user], true],
    ['several that act as their users', [user, { ...user, name: 'b', appId: other }], true],
    ['one that acts as the app', [{}], false],
    ['the function key holders', [{ functionKey: true as const }], false],
    ['one of each', [user, { name: 'b', appId: other }], false],
    ['users and function key holders', [user, { name: 'b', functionKey: true as const }], false],
  ])('is told of a policy with %s', (_, entries: readonly Partial<PolicyEntry>[], expected) => {
    const policy = compilePolicy({ callers: entries.map(policyEntry) }, DEFAULTS);

    expect(actsForUsersAlone(policy)).toBe(expected);
  });

  it('is never so without a policy document', () => {
    expect(actsForUsersAlone(policyWithoutDocument({ ...DEFAULTS, allowAnyMailbox: true }))).toBe(false);
    expect(actsForUsersAlone(policyWithoutDocument({ ...DEFAULTS, allowAnyMailbox: false }))).toBe(false);
  });

  it('counts the grant of every other app', () => {
    const policy = compilePolicy({ callers: [policyEntry(user)] }, DEFAULTS);
    const [anyApp] = compilePolicy({ callers: [policyEntry()] }, DEFAULTS).apps.values();

    expect(actsForUsersAlone({ ...policy, anyApp })).toBe(false);
  });
});

describe('what an entry leaves out', () => {
  it('is every operation, the uploadUrl of the settings, no source, and the app itself', () => {
    const grant = grantOf({}, { ...DEFAULTS, uploadUrl: 'proxy' });

    expect(grant).toMatchObject({ uploadUrl: 'proxy', sources: [], actsAs: 'app' });
    expect([...(grant?.operations ?? [])]).toEqual(['createUploadSession', 'attach']);
  });

  it('is what the entry says where it says something', () => {
    const grant = grantOf(
      { operations: ['attach'], uploadUrl: 'graph', sources: ['https://files.contoso.example/'] },
      { ...DEFAULTS, uploadUrl: 'proxy' },
    );

    expect(grant).toMatchObject({ uploadUrl: 'graph' });
    expect([...(grant?.operations ?? [])]).toEqual(['attach']);
    const rule = grant && findSourceRule(grant.sources, new URL('https://files.contoso.example/a.pdf'));
    expect(rule?.place).toBe('/callers/0/sources/0');
  });

  it('admits whatever Graph lets the user do, for a caller that acts as one', () => {
    const asUser = grantOf({ delegated: true, actsAs: 'user' });
    const narrowed = grantOf({ delegated: true, actsAs: 'user', mailboxes: [], groups: ['g'] });

    expect(asUser && admittedBy(asUser.mailboxes, 'adele@contoso.example')).toBe('/callers/0/actsAs');
    expect(asUser && admittedBy(asUser.groups, 'g')).toBe('/callers/0/actsAs');
    expect(narrowed && admittedBy(narrowed.mailboxes, 'adele@contoso.example')).toBeUndefined();
    expect(narrowed && admittedBy(narrowed.groups, 'other')).toBeUndefined();
    expect(narrowed && admittedBy(narrowed.groups, 'g')).toBe('/callers/0/groups/0');
  });
});

describe('policyWithoutDocument', () => {
  it('admits function key holders to ME_MAILBOX alone', () => {
    const policy = policyWithoutDocument({ ...DEFAULTS, meMailbox: 'Adele@contoso.example', allowAnyMailbox: false });

    const grant = policy.functionKey;
    expect(grant && admittedBy(grant.mailboxes, 'adele@contoso.example')).toBe('ME_MAILBOX');
    expect(grant && admittedBy(grant.mailboxes, 'megan@contoso.example')).toBeUndefined();
    expect(grant && admittedBy(grant.groups, 'g')).toBeUndefined();
    expect([policy.apps.size, policy.anyApp]).toEqual([0, undefined]);
  });

  it('admits no mailbox and no group without ME_MAILBOX, and says of me that nothing names it', () => {
    const policy = policyWithoutDocument({ ...DEFAULTS, allowAnyMailbox: false });
    const decide = (owner: TargetOwner) => authorize(policy, { kind: 'functionKey' }, { ...ASK, owner }).kind;

    expect(decide({ kind: 'me' })).toBe('meUnknown');
    expect(decide({ kind: 'mailbox', id: 'adele@contoso.example' })).toBe('denied');
    expect(decide({ kind: 'group', id: APP_ID })).toBe('denied');
    expect(policy.apps.size).toBe(0);
    expect(policy.anyApp).toBeUndefined();
  });

  it.each(['functionKey', 'anyApp'] as const)(
    'admits every mailbox and group to %s where ALLOW_ANY_MAILBOX says so',
    (who) => {
      const grant = policyWithoutDocument({ ...DEFAULTS, allowAnyMailbox: true })[who];

      expect(grant && admittedBy(grant.mailboxes, USER_ID)).toBe('ALLOW_ANY_MAILBOX');
      expect(grant && admittedBy(grant.groups, 'g')).toBe('ALLOW_ANY_MAILBOX');
      expect(grant).toMatchObject({ delegated: false, actsAs: 'app', sources: [] });
    },
  );
});

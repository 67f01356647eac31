import fc from 'fast-check';
import { explainPolicy, type Question } from '../../../scripts/explainPolicy.ts';
import { authorize } from '../../../shared/caller/authorize.ts';
import { compilePolicy, type PolicyDocument } from '../../../shared/caller/policy.ts';
import { ITEM_KINDS } from '../../../shared/route/entityModel.ts';
import { APP_ID, policyEntry, USER_ID } from '../../support/builders.ts';

const DOCUMENT: PolicyDocument = {
  callers: [
    policyEntry({ mailboxes: ['adele@contoso.example', '*@fabrikam.example'], maxBytes: 100, delegated: true }),
    policyEntry({ name: 'key holders', functionKey: true, groups: ['g'], kinds: ['post'] }),
  ],
};

function explain(members: Partial<Question>): ReturnType<typeof explainPolicy> {
  return explainPolicy(DOCUMENT, {
    caller: 'newsletter',
    user: undefined,
    mailbox: 'adele@contoso.example',
    group: undefined,
    kind: 'message',
    size: 1,
    meMailbox: undefined,
    ...members,
  });
}

describe('explainPolicy', () => {
  it.each([
    [{}, true, 'allowed by /callers/0/mailboxes/0 "adele@contoso.example"'],
    [{ mailbox: 'x@fabrikam.example' }, true, 'allowed by /callers/0/mailboxes/1 "*@fabrikam.example"'],
    [{ caller: APP_ID.toUpperCase() }, true, 'allowed by /callers/0/mailboxes/0 "adele@contoso.example"'],
    [
      { mailbox: 'me', meMailbox: 'adele@contoso.example' },
      true,
      'allowed by /callers/0/mailboxes/0 "adele@contoso.example"',
    ],
    [{ mailbox: 'me', user: USER_ID }, true, 'allowed by /callers/0/delegated true'],
    [
      { caller: 'key holders', group: 'G', mailbox: undefined, kind: 'post' },
      true,
      'allowed by /callers/1/groups/0 "g"',
    ],
    [
      { caller: 'functionKey', group: 'g', mailbox: undefined, kind: 'post' },
      true,
      'allowed by /callers/1/groups/0 "g"',
    ],
    [{ mailbox: 'me' }, false, 'denied: nothing says which mailbox me is'],
    [{ size: 101 }, false, 'denied (maxBytes) by /callers/0/maxBytes 100'],
    [
      { mailbox: 'x@other.example' },
      false,
      'denied (owner) by /callers/0/mailboxes ["adele@contoso.example","*@fabrikam.example"]',
    ],
    [{ group: 'g', mailbox: undefined }, false, 'denied (owner) by /callers/0/groups (absent)'],
    [{ caller: 'key holders' }, false, 'denied (kind) by /callers/1/kinds ["post"]'],
    [
      { mailbox: 'adele@contoso.example', user: USER_ID },
      false,
      'denied (owner) by /callers/0/mailboxes ["adele@contoso.example","*@fabrikam.example"]',
    ],
  ])('says of %j: %s, %s', (members, allowed, text) => {
    expect(explain(members)).toEqual({ kind: 'explained', allowed, text });
  });

  it('denies a caller that the policy does not hold', () => {
    expect(explain({ caller: USER_ID })).toMatchObject({
      allowed: false,
      text: expect.stringContaining('denied (unknownCaller) by /callers '),
    });
  });

  it.each([{ kind: 'contact' }, { kind: '__proto__' }, { size: 0 }, { size: Number.NaN }, { size: 1.5 }])(
    'refuses the question %j',
    (members) => {
      expect(explain(members)).toMatchObject({ kind: 'badQuestion', fault: expect.stringMatching(/^--(kind|size) /) });
    },
  );

  it('agrees with the function that decides', () => {
    const names = fc.constantFrom('adele@contoso.example', 'x@fabrikam.example', 'x@other.example', USER_ID);
    const policy = compilePolicy(DOCUMENT, undefined);
    fc.assert(
      fc.property(names, fc.constantFrom(...ITEM_KINDS), fc.integer({ min: 1, max: 200 }), (id, kind, size) => {
        const explanation = explain({ caller: APP_ID, mailbox: id, kind, size });

        const ask = { kind, owner: { kind: 'mailbox', id }, sizeBytes: size } as const;
        const decision = authorize(policy, { kind: 'app', appId: APP_ID }, ask);
        expect(explanation).toHaveProperty('allowed', decision.kind === 'allowed');
      }),
    );
  });
});

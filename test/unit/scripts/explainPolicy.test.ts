import fc from 'fast-check';
import { type Explanation, explainPolicy, type Question } from '../../../scripts/explainPolicy.ts';
import { authorize } from '../../../shared/access/evaluatePolicy.ts';
import {
  compilePolicy,
  type PolicyDefaults,
  type PolicyDocument,
  policyWithoutDocument,
} from '../../../shared/access/policy.ts';
import { ITEM_KINDS } from '../../../shared/paths/entityModel.ts';
import { APP_ID, policyEntry, USER_ID } from '../../support/builders.ts';

const ADD_IN = APP_ID.replace(/^1/, '2');
const DOCUMENT: PolicyDocument = {
  callers: [
    policyEntry({
      mailboxes: ['adele@contoso.example', '*@fabrikam.example'],
      maxBytes: 100,
      delegated: true,
      sources: ['https://*.contoso.example/', 'https://files.contoso.example:443/in/'],
    }),
    policyEntry({
      name: 'key holders',
      functionKey: true,
      groups: ['g'],
      kinds: ['post'],
      operations: ['createUploadSession'],
      uploadUrl: 'proxy',
    }),
    policyEntry({ name: 'add-in', appId: ADD_IN, delegated: true, actsAs: 'user', groups: [] }),
  ],
};
const DEFAULTS = { meMailbox: undefined, uploadUrl: 'graph' } as const;

/** The second line, by the caller. */
const GIVEN = {
  newsletter:
    'newsletter: acts as app; createUploadSession with uploadUrl graph; ' +
    'attach, also from https://files.contoso.example:443/in/ and https://*.contoso.example/',
  'key holders': 'key holders: acts as app; createUploadSession with uploadUrl proxy',
  'add-in': 'add-in: acts as user; createUploadSession with uploadUrl graph; attach',
};

function explain(members: Partial<Question>, defaults: PolicyDefaults = DEFAULTS): Explanation {
  return explainPolicy(
    { document: DOCUMENT, policy: compilePolicy(DOCUMENT, defaults) },
    {
      caller: 'newsletter',
      user: undefined,
      operation: 'attach',
      source: undefined,
      mailbox: 'adele@contoso.example',
      group: undefined,
      kind: 'message',
      size: 1,
      ...members,
    },
  );
}

describe('explainPolicy', () => {
  it.each([
    [{}, true, 'allowed by /callers/0/mailboxes/0 "adele@contoso.example"'],
    [{ mailbox: 'x@fabrikam.example' }, true, 'allowed by /callers/0/mailboxes/1 "*@fabrikam.example"'],
    [{ caller: APP_ID.toUpperCase() }, true, 'allowed by /callers/0/mailboxes/0 "adele@contoso.example"'],
    [{ mailbox: 'me', user: USER_ID }, true, 'allowed by /callers/0/delegated true'],
    [
      { caller: 'key holders', operation: 'createUploadSession', group: 'G', mailbox: undefined, kind: 'post' },
      true,
      'allowed by /callers/1/groups/0 "g"',
    ],
    [
      { caller: 'functionKey', operation: 'createUploadSession', group: 'g', mailbox: undefined, kind: 'post' },
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
    [{ caller: 'key holders' }, false, 'denied (operation) by /callers/1/operations ["createUploadSession"]'],
    [{ caller: 'key holders', operation: 'createUploadSession' }, false, 'denied (kind) by /callers/1/kinds ["post"]'],
    [
      { source: 'https://files.contoso.example/in/a.pdf?sig=x' },
      true,
      'allowed by /callers/0/mailboxes/0 "adele@contoso.example" and ' +
        '/callers/0/sources/1 "https://files.contoso.example:443/in/"',
    ],
    [
      { source: 'https://fabrikam.example/a.pdf' },
      false,
      'denied (source) by /callers/0/sources ["https://*.contoso.example/","https://files.contoso.example:443/in/"]',
    ],
    [{ caller: 'add-in', user: USER_ID, mailbox: 'me' }, true, 'allowed by /callers/2/delegated true'],
    [{ caller: 'add-in', user: USER_ID }, true, 'allowed by /callers/2/actsAs "user"'],
    [
      { caller: 'add-in', user: USER_ID, mailbox: undefined, group: 'g' },
      false,
      'denied (owner) by /callers/2/groups []',
    ],
    [{ caller: 'add-in' }, false, 'denied (appNotAdmitted) by /callers/2/actsAs "user"'],
    [{ size: 0 }, true, 'allowed by /callers/0/mailboxes/0 "adele@contoso.example"'],
    [
      { mailbox: 'adele@contoso.example', user: USER_ID },
      false,
      'denied (owner) by /callers/0/mailboxes ["adele@contoso.example","*@fabrikam.example"]',
    ],
  ])('says of %j: %s, %s', (members: Partial<Question>, allowed, verdict) => {
    const given = /^(key|functionKey)/.test(members.caller ?? '')
      ? GIVEN['key holders']
      : members.caller === 'add-in'
        ? GIVEN['add-in']
        : GIVEN.newsletter;

    expect(explain(members)).toEqual({ kind: 'explained', allowed, text: `${verdict}\n${given}` });
  });

  it('takes me and the uploadUrl from the settings where the entry names none', () => {
    const explanation = explain({ mailbox: 'me' }, { meMailbox: 'adele@contoso.example', uploadUrl: 'proxy' });

    expect(explanation).toMatchObject({
      allowed: true,
      text: expect.stringMatching(/^allowed by \/callers\/0\/mailboxes\/0 .* with uploadUrl proxy;/s),
    });
  });

  it('explains what the settings admit where there is no policy', () => {
    const settings = { ...DEFAULTS, meMailbox: 'adele@contoso.example', allowAnyMailbox: false };
    const question = {
      caller: 'functionKey',
      user: undefined,
      operation: 'attach',
      source: undefined,
      group: undefined,
    };

    const explanation = explainPolicy(
      { document: undefined, policy: policyWithoutDocument(settings) },
      { ...question, mailbox: 'me', kind: 'message', size: 1 },
    );

    expect(explanation).toMatchObject({ allowed: true, text: expect.stringMatching(/^allowed by ME_MAILBOX\n/) });
  });

  it('denies a caller that the policy does not hold', () => {
    expect(explain({ caller: USER_ID })).toMatchObject({
      allowed: false,
      text: expect.stringMatching(/^denied \(unknownCaller\) by \/callers .*$/),
    });
  });

  it.each([
    [{ kind: 'contact' }, '--kind must be one of message, event, todoTask, outlookTask, post.'],
    [{ kind: '__proto__' }, '--kind must be one of message, event, todoTask, outlookTask, post.'],
    [{ operation: 'send' }, '--operation must be one of createUploadSession, attach, createDraft, sendMail.'],
    [{ operation: 'createUploadSession', size: 0 }, '--size must be a number of bytes.'],
    [{ size: -1 }, '--size must be a number of bytes.'],
    [{ size: Number.NaN }, '--size must be a number of bytes.'],
    [{ size: 1.5 }, '--size must be a number of bytes.'],
    [
      { operation: 'createUploadSession', source: 'https://files.contoso.example/in/' },
      '--source goes with --operation attach.',
    ],
    [{ source: 'http://files.contoso.example/in/' }, '--source must be an https URL.'],
  ])('refuses the question %j', (members, fault) => {
    expect(explain(members)).toEqual({ kind: 'badQuestion', fault });
  });

  it('agrees with the function that decides', () => {
    const names = fc.constantFrom('adele@contoso.example', 'x@fabrikam.example', 'x@other.example', USER_ID);
    const policy = compilePolicy(DOCUMENT, DEFAULTS);
    fc.assert(
      fc.property(names, fc.constantFrom(...ITEM_KINDS), fc.integer({ min: 1, max: 200 }), (id, kind, size) => {
        const explanation = explain({ caller: APP_ID, mailbox: id, kind, size });

        const ask = { operation: 'attach', kind, owner: { kind: 'mailbox', id }, sizeBytes: size } as const;
        const decision = authorize(policy, { kind: 'app', appId: APP_ID }, ask);
        expect(explanation).toHaveProperty('allowed', decision.kind === 'allowed');
      }),
    );
  });
});

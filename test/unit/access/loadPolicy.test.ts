import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import policySchema from '../../../docs/policy.schema.json' with { type: 'json' };
import { loadPolicy, type PolicyError, type PolicySettings, parsePolicy } from '../../../shared/access/loadPolicy.ts';
import type { PolicySource } from '../../../shared/config/config.ts';
import { ITEM_KINDS } from '../../../shared/paths/entityModel.ts';
import { POLICY_OPERATIONS } from '../../../shared/routes.ts';
import { APP_ID, policyEntry } from '../../support/builders.ts';

const GOOD = { callers: [policyEntry({ mailboxes: ['adele@contoso.example'] })] };

function faultsOf(document: unknown): readonly PolicyError[] {
  const result = parsePolicy(document);
  return result.kind === 'broken' ? result.faults : [];
}

describe('parsePolicy', () => {
  it('takes an entry with every member, and $schema for editors', () => {
    const document = {
      $schema: 'https://example.org/policy.schema.json',
      callers: [
        policyEntry({
          mailboxes: ['adele@contoso.example', '*@contoso.example', '*', "o'neill@contoso.example", APP_ID],
          me: 'adele@contoso.example',
          groups: [APP_ID, '*'],
          maxBytes: 1,
          delegated: true,
          operations: ['attach', 'createUploadSession'],
          uploadUrl: 'proxy',
          sources: ['https://contoso.blob.core.windows.net/invoices/', 'https://*.sharepoint.com/'],
          actsAs: 'app',
        }),
        policyEntry({ name: 'user', appId: APP_ID.replace(/^1/, '2'), delegated: true, actsAs: 'user', mailboxes: [] }),
        policyEntry({ name: 'key holders', functionKey: true }),
      ],
    };

    expect(parsePolicy(document)).toEqual({ kind: 'ok', document });
  });

  it('takes a policy that admits nobody', () => {
    expect(parsePolicy({ callers: [] })).toMatchObject({ kind: 'ok' });
  });

  it.each([
    ['nothing', {}, '/callers', 'is missing'],
    ['null', null, '/', 'must be object'],
    ['an array', [], '/', 'must be object'],
    ['callers that are no list', { callers: {} }, '/callers', 'must be array'],
    ['an unknown member', { callers: [], caller: [] }, '/caller', 'is not a member here'],
    ['an entry without a name', entries({ name: undefined }), '/callers/0/name', 'is missing'],
    ['an empty name', entries({ name: '' }), '/callers/0/name', expect.stringMatching(/\S/)],
    ['a name that would break the log line', entries({ name: 'a\nb' }), '/callers/0/name', expect.stringMatching(/\S/)],
    ['an entry without kinds', entries({ kinds: undefined }), '/callers/0/kinds', 'is missing'],
    ['no kinds', entries({ kinds: [] }), '/callers/0/kinds', expect.stringMatching(/\S/)],
    [
      'an unknown kind',
      entries({ kinds: ['message', 'contact'] }),
      '/callers/0/kinds/1',
      'must be one of message,event,todoTask,outlookTask,post',
    ],
    ['neither id nor key', entries({ appId: undefined }), '/callers/0', 'must have either appId or functionKey'],
    ['both id and key', entries({ functionKey: true }), '/callers/0', 'must have either appId or functionKey'],
    ['an appId that is no GUID', entries({ appId: 'newsletter' }), '/callers/0/appId', expect.stringMatching(/\S/)],
    ['a misspelt member', entries({ mailbox: [] }), '/callers/0/mailbox', 'is not a member here'],
    ['one mailbox without a list', entries({ mailboxes: '*' }), '/callers/0/mailboxes', 'must be array'],
    [
      'a pattern within a name',
      entries({ mailboxes: ['a*@x.example'] }),
      '/callers/0/mailboxes/0',
      expect.stringContaining('*@domain'),
    ],
    [
      'a pattern for subdomains',
      entries({ mailboxes: ['*@*.example'] }),
      '/callers/0/mailboxes/0',
      expect.stringContaining('*@domain'),
    ],
    [
      'a mailbox that is a path',
      entries({ mailboxes: ['a/b'] }),
      '/callers/0/mailboxes/0',
      expect.stringContaining('*@domain'),
    ],
    ['an empty mailbox', entries({ mailboxes: [''] }), '/callers/0/mailboxes/0', expect.stringContaining('*@domain')],
    [
      'the same mailbox twice',
      entries({ mailboxes: ['a@b', 'a@b'] }),
      '/callers/0/mailboxes',
      expect.stringContaining('duplicate'),
    ],
    [
      'the word me for a mailbox',
      entries({ mailboxes: ['ME'] }),
      '/callers/0/mailboxes/0',
      expect.stringContaining('*@domain'),
    ],
    ['the word me for me', entries({ me: 'Me' }), '/callers/0/me', 'must be an address or an object id'],
    ['a dot segment for me', entries({ me: '..' }), '/callers/0/me', 'must be an address or an object id'],
    [
      'a # after the domain',
      entries({ mailboxes: ['a@x.example#'] }),
      '/callers/0/mailboxes/0',
      expect.stringContaining('*@domain'),
    ],
    [
      'two addresses around a #',
      entries({ mailboxes: ['a@x.example#@y.example'] }),
      '/callers/0/mailboxes/0',
      expect.stringContaining('*@domain'),
    ],
    ['a pattern for me', entries({ me: '*' }), '/callers/0/me', expect.stringMatching(/\S/)],
    ['a domain of groups', entries({ groups: ['*@x.example'] }), '/callers/0/groups/0', expect.stringMatching(/\S/)],
    ['a size of nothing', entries({ maxBytes: 0 }), '/callers/0/maxBytes', expect.stringMatching(/\S/)],
    ['a size as text', entries({ maxBytes: '1' }), '/callers/0/maxBytes', 'must be integer'],
    ['delegated as text', entries({ delegated: 'true' }), '/callers/0/delegated', 'must be boolean'],
    ['no operations', entries({ operations: [] }), '/callers/0/operations', expect.stringMatching(/\S/)],
    [
      'an unknown operation',
      entries({ operations: ['attach', 'send'] }),
      '/callers/0/operations/1',
      'must be one of createUploadSession,attach',
    ],
    ['one operation without a list', entries({ operations: 'attach' }), '/callers/0/operations', 'must be array'],
    ['an unknown uploadUrl', entries({ uploadUrl: 'outlook' }), '/callers/0/uploadUrl', 'must be one of graph,proxy'],
    ['an unknown actsAs', entries({ actsAs: 'group' }), '/callers/0/actsAs', 'must be one of app,user'],
    [
      'acting as a user without delegated tokens',
      entries({ actsAs: 'user' }),
      '/callers/0/actsAs',
      'user needs appId and "delegated": true, and takes no me',
    ],
    [
      'acting as a user with delegated tokens shut out',
      entries({ actsAs: 'user', delegated: false }),
      '/callers/0/actsAs',
      expect.stringContaining('"delegated": true'),
    ],
    [
      'acting as a user for holders of a key',
      entries({ actsAs: 'user', delegated: true, appId: undefined, functionKey: true }),
      '/callers/0/actsAs',
      expect.stringContaining('needs appId'),
    ],
    [
      'acting as a user with a mailbox for me',
      entries({ actsAs: 'user', delegated: true, me: 'adele@contoso.example' }),
      '/callers/0/actsAs',
      expect.stringContaining('takes no me'),
    ],
    ['sources that are no list', entries({ sources: 'https://a.example/' }), '/callers/0/sources', 'must be array'],
    ['a source that is no text', entries({ sources: [1] }), '/callers/0/sources/0', 'must be string'],
    [
      'a source without TLS',
      entries({ sources: ['https://a.example/', 'http://a.example/'] }),
      '/callers/0/sources/1',
      expect.stringContaining('must be an https address'),
    ],
    [
      'a source with a query',
      entries({ sources: ['https://a.example/?sig=x'] }),
      '/callers/0/sources/0',
      expect.stringContaining('without query'),
    ],
    [
      'a source by IP address',
      entries({ sources: ['https://10.0.0.4/'] }),
      '/callers/0/sources/0',
      'must name its host, not an IP address',
    ],
    [
      'a source that climbs',
      entries({ sources: ['https://a.example/in/../'] }),
      '/callers/0/sources/0',
      'must not hold . or .. in its path',
    ],
    [
      'the same source twice',
      entries({ sources: ['https://a.example/', 'https://a.example/'] }),
      '/callers/0/sources',
      expect.stringContaining('duplicate'),
    ],
  ])('says of %s where it stands', (_, document, pointer, fault) => {
    expect(faultsOf(JSON.parse(JSON.stringify(document)))).toEqual([{ pointer, fault }]);
  });

  it('says all faults of a document at once, one for each place', () => {
    const document = {
      callers: [
        policyEntry({ name: '' }),
        { name: 'x', kinds: ['message'], extra: 1 },
        policyEntry({ mailboxes: ['a b'] }),
      ],
      more: true,
    };

    expect(
      faultsOf(document)
        .map(({ pointer }) => pointer)
        .sort(),
    ).toEqual(['/callers/0/name', '/callers/1', '/callers/1/extra', '/callers/2/mailboxes/0', '/more']);
  });

  it('refuses two entries for one caller', () => {
    const callers = [
      policyEntry({ name: 'a', appId: APP_ID }),
      policyEntry({ name: 'b', functionKey: true }),
      policyEntry({ name: 'c', appId: APP_ID.toUpperCase() }),
      policyEntry({ name: 'd', functionKey: true }),
      policyEntry({ name: 'e', appId: APP_ID }),
      policyEntry({ name: 'a', appId: APP_ID.replace(/^1/, '2') }),
    ];

    expect(faultsOf({ callers })).toEqual([
      { pointer: '/callers/2', fault: 'names the same caller as /callers/0' },
      { pointer: '/callers/3', fault: 'names the same caller as /callers/1' },
      { pointer: '/callers/4', fault: 'names the same caller as /callers/0' },
      { pointer: '/callers/5', fault: 'names the same caller as /callers/0' },
    ]);
  });

  it('knows the kinds of item that paths lead to, and every operation', () => {
    const { kinds, operations } = policySchema.definitions.caller.properties;

    expect(kinds.items.enum).toEqual([...ITEM_KINDS]);
    expect(operations.items.enum).toEqual([...POLICY_OPERATIONS]);
  });
});

describe('loadPolicy', () => {
  let appRoot: string;

  beforeEach(() => {
    appRoot = mkdtempSync(join(tmpdir(), 'policy-'));
  });

  afterEach(() => {
    rmSync(appRoot, { recursive: true });
  });

  const SETTINGS = {
    meMailbox: undefined,
    allowAnyMailbox: false,
    uploadUrl: 'graph',
    callerAuth: { kind: 'entra' },
    canActForUsers: true,
  } as const;
  const load = (policySource: PolicySource, settings: Partial<PolicySettings> = {}) =>
    loadPolicy({ ...SETTINGS, policySource, ...settings }, appRoot);
  const write = (text: string) => writeFileSync(join(appRoot, 'policy.json'), text);
  const DEFAULT_FILE: PolicySource = { kind: 'defaultFile', path: 'policy.json' };
  const NAMED_FILE: PolicySource = { kind: 'file', path: 'policy.json' };

  it.each([DEFAULT_FILE, NAMED_FILE])('reads the $kind below the root of the app', (source) => {
    write(JSON.stringify(GOOD));

    const result = load(source);

    expect(result).toMatchObject({ kind: 'ok', source: 'policy.json' });
    expect(result.kind === 'ok' && result.policy.apps.has(APP_ID)).toBe(true);
  });

  it('reads the inline document', () => {
    expect(load({ kind: 'inline', document: GOOD })).toMatchObject({ kind: 'ok', source: 'POLICY', document: GOOD });
  });

  it('does without the default file, and then admits ME_MAILBOX alone', () => {
    const result = load(DEFAULT_FILE, { meMailbox: 'adele@contoso.example' });

    expect(result).toMatchObject({
      kind: 'ok',
      source: 'none',
      document: undefined,
      policy: { functionKey: { policyPath: 'ME_MAILBOX' } },
    });
  });

  it('demands a file that is named', () => {
    expect(load(NAMED_FILE)).toEqual({
      kind: 'broken',
      source: 'policy.json',
      faults: [{ pointer: '/', fault: 'the file cannot be read (ENOENT)' }],
    });
  });

  it('does not take a default file that cannot be read for an absent one', () => {
    expect(load({ kind: 'defaultFile', path: '.' }, { allowAnyMailbox: true })).toMatchObject({
      kind: 'broken',
      faults: [{ pointer: '/', fault: 'the file cannot be read (EISDIR)' }],
    });
  });

  it.each(['', '{', 'callers: []', '{"callers":[],}'])('never falls open over the file %j', (text) => {
    write(text);

    expect(load(DEFAULT_FILE, { meMailbox: 'adele@contoso.example' })).toMatchObject({
      kind: 'broken',
      source: 'policy.json',
      faults: [{ pointer: '/', fault: expect.stringContaining('is not JSON') }],
    });
  });

  it('says the faults of the document', () => {
    write('{"callers":[{"name":"x"}]}');

    expect(load(DEFAULT_FILE)).toMatchObject({ kind: 'broken', source: 'policy.json' });
    expect(load({ kind: 'inline', document: null })).toMatchObject({ kind: 'broken', source: 'POLICY' });
  });

  it('refuses to act as users where callers bring no tokens', () => {
    const asUser = policyEntry({ delegated: true, actsAs: 'user' });
    const document = { callers: [policyEntry({ name: 'key holders', functionKey: true }), asUser] };

    expect(load({ kind: 'inline', document }, { callerAuth: { kind: 'functionKey' } })).toEqual({
      kind: 'broken',
      source: 'POLICY',
      faults: [{ pointer: '/callers/1/actsAs', fault: 'user needs CALLER_AUTH=entra' }],
    });
    expect(load({ kind: 'inline', document })).toMatchObject({ kind: 'ok' });
  });

  it('refuses users whom no registration can act for', () => {
    const asUser = policyEntry({ delegated: true, actsAs: 'user' });

    expect(load({ kind: 'inline', document: { callers: [asUser] } }, { canActForUsers: false })).toMatchObject({
      kind: 'broken',
      faults: [{ pointer: '/callers/0/actsAs', fault: 'user needs OBO_CLIENT_ID' }],
    });
    expect(load({ kind: 'inline', document: { callers: [policyEntry()] } }, { canActForUsers: false }).kind).toBe('ok');
  });

  it.each(['graph', 'proxy'] as const)('takes UPLOAD_URL=%s where the entry names no uploadUrl', (uploadUrl) => {
    const document = { callers: [policyEntry()] };

    expect(load({ kind: 'inline', document }, { uploadUrl })).toHaveProperty(
      'policy.apps',
      new Map([[APP_ID, expect.objectContaining({ uploadUrl })]]),
    );
  });

  it('refuses ALLOW_ANY_MAILBOX beside a policy', () => {
    expect(load({ kind: 'inline', document: GOOD }, { allowAnyMailbox: true })).toMatchObject({
      kind: 'broken',
      faults: [{ pointer: '/', fault: 'ALLOW_ANY_MAILBOX=true is refused beside a policy' }],
    });
  });
});

function entries(members: object): object {
  return { callers: [{ ...policyEntry(), ...members }] };
}

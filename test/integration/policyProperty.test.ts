import fc from 'fast-check';
import { MEGAN } from '../../local/emulators/graph/seed.ts';
import { runs } from '../support/runs.ts';
import { itemPath, startTenantSite, type TenantSite } from '../support/tenantSite.ts';

const APP = '1f0e2d3c-4b5a-4968-8776-655443322110';
const RUNS = runs(150, 600);

const MAILBOXES = ['kim@contoso.example', '*@fabrikam.example', MEGAN.id, 'o.neil+x@contoso.example'];
const GROUPS = ['02bd9fd6-8f93-4758-87c3-1fb73740a315'];
const ME = 'desk@contoso.example';
const POLICY = {
  callers: [
    { name: 'Invoices', appId: APP, mailboxes: MAILBOXES, groups: GROUPS, me: ME, kinds: ['message', 'event', 'post'] },
  ],
};

/** A second reading of the policy, as short as can be, of the name that Graph would see. */
function isAdmitted(root: string, name: string): boolean {
  const folded = name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  if (root === 'groups') return GROUPS.includes(folded);
  const isObjectId = /^[0-9a-f-]{36}@/.test(folded);
  return [...MAILBOXES, ME].includes(folded) || (/.@fabrikam\.example$/.test(folded) && !isObjectId);
}

const ADMITTED = ['kim@contoso.example', 'anyone@fabrikam.example', MEGAN.id, 'o.neil+x@contoso.example', ME];
const OTHERS = [
  ...['megan@contoso.example', 'kim@contoso.example.', 'kim@fabrikam.example.evil.example', 'x@sub.fabrikam.example'],
  ...[
    '87d349ed-44d7-43e1-9a83-5f2406dee5bd',
    `${MEGAN.id}@fabrikam.example`,
    '@fabrikam.example',
    '*',
    'a@b@c.example',
  ],
  ...["o'neil@fabrikam.example", 'me', '.', '..', '%', ''],
];

/** Mostly the first, now and then one of the others. */
function mostly(usual: string, ...others: string[]): fc.Arbitrary<string> {
  return fc.oneof({ weight: 12, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });
}

const LOOK_ALIKES: Readonly<Record<string, string>> = {
  k: '%E2%84%AA',
  s: '%C5%BF',
  '@': '%EF%BC%A0',
  '.': '%E3%80%82',
};

/** A character as itself, in upper case, escaped, escaped twice, or as one that looks like it. */
function spelling(character: string): fc.Arbitrary<string> {
  const escaped = percentEncoded(character);
  const shady = [escaped.replaceAll('%', '%25'), LOOK_ALIKES[character] ?? '%00'];
  const fair = fc.constantFrom(character, character, character.toUpperCase(), escaped, escaped.toLowerCase());
  return fc.oneof({ weight: 200, arbitrary: fair }, { weight: 1, arbitrary: fc.constantFrom(...shady) });
}

function percentEncoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

const NOISE = [
  ...['%20', '%00', '%2F', '%2f..%2f', '/../', '//', '/./', ';x=1', '?', '#', '%23', '%3F', '\\', '%5C', "'", "''"],
  ...['%27', '(', ')', '%0A', '%C2%A0', '%E2%80%8B', '%ED%A0%80', '%FF', '%', '+', ',', '@', '%40fabrikam.example'],
];
const noise = mostly('', ...NOISE);

const name = fc
  .constantFrom(...ADMITTED, ...ADMITTED, ...GROUPS, ...OTHERS)
  .chain((plain) => fc.tuple(noise, fc.tuple(...Array.from(plain, spelling)), noise, noise, fc.nat(plain.length)))
  .map(([before, characters, within, after, at]) =>
    [before, ...characters.slice(0, at), within, ...characters.slice(at), after].join(''),
  );

const root = mostly('users', 'USERS', 'Us%65rs', 'groups', 'me/joinedGroups', 'me');
const owner = fc
  .tuple(root, fc.constantFrom('/', '/', "('", "(id='", '(', '/../', '/x/../', '//'), name)
  .map(([first, open, id]) => `${first}${open}${id}${open.endsWith("'") ? "')" : ''}${open === '(' ? ')' : ''}`);

const prefix = mostly(
  '',
  'v1.0/',
  'beta/',
  'V1.0/',
  'users/kim@contoso.example/../../',
  '../api/',
  './',
  '/',
  '%2e%2e/',
);
const item = mostly(
  itemPath('message'),
  ...[itemPath('event'), itemPath('post'), itemPath('todoTask')],
  'mailFolders/inbox/messages/AAMk1/attachments/createUploadSession',
  'messages/AAMk1/../../../megan@contoso.example/messages/AAMk1/attachments/createUploadSession',
  'messages/AAMk1/%2E%2E/%2E%2E/%2E%2E/megan@contoso.example/messages/AAMk1/attachments/createUploadSession',
  'messages/..%2F..%2Fmegan@contoso.example%2Fmessages%2FAAMk1/attachments/createUploadSession',
  'messages/AAMk1/attachments/createUploadSession?user=megan@contoso.example',
);
const target = fc.tuple(prefix, owner, mostly('/', '', '//'), item).map((parts) => parts.join(''));

describe('whatever the spelling of a mailbox', () => {
  let site: TenantSite;

  beforeAll(async () => {
    site = await startTenantSite({ policy: POLICY });
  });
  afterAll(() => site.close());

  test('no request for one that the policy does not admit reaches Graph', async () => {
    const bearer = await site.bearer(APP);
    const seen = new Map<number, number>();

    const property = fc.asyncProperty(target, async (path) => {
      site.forget();
      const { status } = await site.openSession({ path, authorization: [bearer] });
      seen.set(status, (seen.get(status) ?? 0) + 1);
      expect(status).toBeLessThan(500);
      expect(site.graph.requests).toHaveLength(status === 201 ? 1 : 0);
      for (const request of site.graph.requests) {
        const [, version, first = '', id = '', ...rest] = request.path.split('/').map(decodeURIComponent);
        expect({ version, first, isAdmitted: isAdmitted(first, id), id, path }).toMatchObject({ isAdmitted: true });
        expect([['v1.0', 'beta'].includes(version ?? ''), ['users', 'groups'].includes(first)]).toEqual([true, true]);
        expect(rest.filter((segment) => /^\.{0,2}$|[/\\?#%]/.test(segment))).toEqual([]);
      }
    });
    await fc.assert(property, { numRuns: RUNS });

    // Both sides of the line were met often, so that the property says something.
    expect(seen.get(201)).toBeGreaterThan(RUNS / 50);
    expect(seen.get(403)).toBeGreaterThan(RUNS / 50);
  });

  test.each(ADMITTED)('a request for %s reaches Graph', async (admitted) => {
    const bearer = await site.bearer(APP);
    const fair = fc.tuple(...Array.from(admitted, (c) => fc.constantFrom(c, c.toUpperCase(), percentEncoded(c))));

    const property = fc.asyncProperty(fair, async (characters) => {
      const path = `users/${characters.join('')}/${itemPath('message')}`;
      expect((await site.openSession({ path, authorization: [bearer] })).status).toBe(201);
    });
    await fc.assert(property, { numRuns: runs(5, 25) });
  });
});

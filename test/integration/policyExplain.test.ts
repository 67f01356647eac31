import fc from 'fast-check';
import { explainPolicy, type Question } from '../../scripts/explainPolicy.ts';
import { parsePolicy } from '../../shared/access/loadPolicy.ts';
import { compilePolicy, type PolicyDocument, type PolicyEntry } from '../../shared/access/policy.ts';
import { ITEM_KINDS, type ItemKind } from '../../shared/paths/entityModel.ts';
import { type Site, startSite } from '../support/site.ts';
import { itemPath, openSession, PERMISSIVE_GRAPH, ROLE, startTenantSite } from '../support/tenantSite.ts';
import { until } from '../support/until.ts';

const GUIDS = Array.from({ length: 6 }, (_, index) => `${index}f0e2d3c-4b5a-4968-8776-65544332211a`);
const ADDRESSES = ['ann@contoso.example', 'bob@contoso.example', 'Ann@Fabrikam.example', "o'neil@sub.contoso.example"];
const SIZES = [1, 1000, 1001, 5_000_000, 5_000_001, 20_000_000];

const names = fc.constantFrom(...ADDRESSES, ...GUIDS);
const patterns = fc.oneof(names, fc.constantFrom('*@contoso.example', '*@FABRIKAM.example', '*'));
const entry = fc.record(
  {
    name: fc.constant(''),
    kinds: fc.subarray([...ITEM_KINDS], { minLength: 1 }),
    mailboxes: fc.uniqueArray(patterns, { maxLength: 4 }),
    groups: fc.uniqueArray(fc.constantFrom('*', ...GUIDS), { maxLength: 2 }),
    me: names,
    maxBytes: fc.constantFrom(1, 1000, 5_000_000),
    delegated: fc.boolean(),
    operations: fc.constantFrom(['attach'], ['createUploadSession'], ['attach', 'createUploadSession']),
    uploadUrl: fc.constant('graph'),
    sources: fc.constant(['https://files.contoso.example/']),
    actsAs: fc.constant('app'),
  },
  { requiredKeys: ['name', 'kinds'] },
);

/** Forty callers; the last one is everyone with a function key. */
function randomPolicy(): PolicyDocument {
  const entries = fc.sample(entry, 40).map((random, index): unknown => {
    const identity = index === 39 ? { functionKey: true } : { appId: appIdOf(index) };
    return { ...random, ...identity, name: `caller ${index}` };
  });
  const parsed = parsePolicy({ callers: entries });
  if (parsed.kind === 'broken') throw new Error(JSON.stringify(parsed.faults));
  return parsed.document;
}

function appIdOf(index: number): string {
  return `${String(index).padStart(8, '0')}-4b5a-4968-8776-655443322110`;
}

function questions(callers: fc.Arbitrary<string>, count: number): Question[] {
  const inMailbox = fc.record({
    mailbox: fc.constantFrom(
      ...ADDRESSES,
      ...ADDRESSES.map((address) => address.toUpperCase()),
      ...GUIDS,
      'me',
      'me',
      'ME',
    ),
    group: fc.constant(undefined),
    kind: fc.constantFrom<ItemKind>('message', 'event', 'todoTask', 'outlookTask'),
  });
  const inGroup = fc.record({
    mailbox: fc.constant(undefined),
    group: fc.constantFrom(...GUIDS, ...GUIDS.map((guid) => guid.toUpperCase())),
    kind: fc.constantFrom<ItemKind>('event', 'post'),
  });
  const who = fc.record({
    caller: callers,
    user: fc.oneof(
      { weight: 3, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constantFrom(...GUIDS) },
    ),
    operation: fc.constant('createUploadSession'),
    source: fc.constant(undefined),
    size: fc.constantFrom(...SIZES),
  });
  const where = fc.oneof({ weight: 3, arbitrary: inMailbox }, { weight: 1, arbitrary: inGroup });
  return fc.sample(fc.tuple(who, where), count).map(([asker, asked]) => ({ ...asker, ...asked }));
}

/** Status and client-request-id of the answer. */
async function askSite(
  site: Site,
  { group, mailbox = '', kind: asked, size }: Question,
  authorization: readonly string[],
): Promise<{ status: number; id: unknown }> {
  const kind = ITEM_KINDS.find((known) => known === asked) ?? 'message';
  const owner = group === undefined ? `users/${encodeURIComponent(mailbox)}` : `groups/${group}`;
  const path = `${owner}/${itemPath(kind, group === undefined ? 'user' : 'group')}`;
  const { status, headers } = await openSession(site.url, { path, kind, size, authorization });
  return { status, id: headers['client-request-id'] };
}

/** The verdict and the place that decided. */
function explain(document: PolicyDocument, meMailbox: string, question: Question): string {
  const policy = compilePolicy(document, { meMailbox: meMailbox || undefined, uploadUrl: 'graph' });
  const explanation = explainPolicy({ document, policy }, question);
  if (explanation.kind === 'badQuestion') return explanation.fault;
  const place = / by (\S+)/.exec(explanation.text)?.[1] ?? 'nothing';
  return `${explanation.allowed ? 'allowed' : 'denied'} by ${place}`;
}

/** Asks the site and the explainer the same; lists the questions on which they differ. */
async function differences(
  site: Site,
  document: PolicyDocument,
  meMailbox: string,
  asked: readonly Question[],
  bearerOf: (question: Question) => Promise<readonly string[]>,
): Promise<unknown[]> {
  const answers: { status: number; id: unknown }[] = [];
  const next = asked.entries();
  const asker = async () => {
    for (const [index, question] of next) answers[index] = await askSite(site, question, await bearerOf(question));
  };
  await Promise.all(Array.from({ length: 4 }, asker));
  // An answer may overtake its log line.
  await until('a line of each request', () => site.events('request').length >= asked.length);
  const places = new Map(site.events('request').map((line) => [line['clientRequestId'], line['policyPath']]));
  return asked.flatMap((question, index) => {
    const { status = 0, id } = answers[index] ?? {};
    const decided = `${[200, 201].includes(status) ? 'allowed' : 'denied'} by ${places.get(id) ?? 'nothing'}`;
    const explained = explain(document, meMailbox, question);
    return decided === explained ? [] : [{ question, explained, decided, status }];
  });
}

describe('npm run policy -- explain', () => {
  const document = randomPolicy();
  const policy = JSON.stringify(document);
  const apps = document.callers.filter(({ appId }) => appId !== undefined);
  const appIdFor = ({ caller }: Question) => apps.find(({ name }) => name === caller)?.appId ?? caller;

  test.each([
    ['with ME_MAILBOX', 'bob@contoso.example', 400],
    ['without ME_MAILBOX', '', 300],
  ])('agrees with the running function on random questions of apps and users, %s', async (_, meMailbox, count) => {
    const site = await startTenantSite({ settings: { ME_MAILBOX: meMailbox, POLICY: policy } });
    const callers = fc.constantFrom(
      ...apps.flatMap(({ name, appId = '' }: PolicyEntry) => [name, appId]),
      GUIDS[0] ?? '',
    );
    try {
      const asked = questions(callers, count);

      const found = await differences(site, document, meMailbox, asked, async (question) => [
        await site.bearer(appIdFor(question), question.user === undefined ? {} : { scp: ROLE, oid: question.user }),
      ]);

      expect(found).toEqual([]);
    } finally {
      await site.close();
    }
  });

  test('agrees with the running function on random questions of function key holders', async () => {
    const settings = { ME_MAILBOX: 'bob@contoso.example', POLICY: policy };
    const site = await startSite({ graph: PERMISSIVE_GRAPH, settings });
    try {
      const asked = questions(fc.constantFrom('functionKey', 'caller 39'), 300);

      const found = await differences(site, document, settings.ME_MAILBOX, asked, async () => []);

      expect(found).toEqual([]);
    } finally {
      await site.close();
    }
  });
});

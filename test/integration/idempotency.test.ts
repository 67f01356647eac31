import { ADELE } from '../../local/emulators/graph/seed.ts';
import { DEFAULT_ATTACH_TIMEOUT_MS } from '../../shared/common/limits.ts';
import { type AttachAnswer, type AttachSite, ITEMS, postBytes, startAttachSite } from '../support/attachSite.ts';
import { makeOlder } from '../support/idempotencyRecords.ts';
import { type SecondHost, startSecondHost } from '../support/secondHost.ts';
import { expectGraphError } from '../support/site.ts';
import { until } from '../support/until.ts';
import { fileOf } from '../support/uploads.ts';

const SETTINGS = { ALLOW_ANY_MAILBOX: 'true', POLICY: '' };
const SMALL = fileOf(10_000);
const LARGE = fileOf(4_000_000);

let site: AttachSite;
/** Another instance of the same app. */
let second: SecondHost;
let keys = 0;

beforeAll(async () => {
  site = await startAttachSite({ settings: SETTINGS });
  second = await startSecondHost(site, SETTINGS);
});
beforeEach(() => site.graph.reset());
afterAll(async () => {
  await second.close();
  await site.close();
});

function newKey(): { readonly 'idempotency-key': string } {
  return { 'idempotency-key': `key-${keys++}` };
}

function attach(
  headers: Readonly<Record<string, string>>,
  { bytes, name } = SMALL,
  { api }: Pick<AttachSite, 'api'> = site,
): Promise<AttachAnswer> {
  return postBytes(`${api}/${ITEMS.message.path}?name=${name}`, bytes, headers);
}

function attached() {
  return site.graph.attachments(ADELE.id, ITEMS.message.id);
}

function sent(method: 'POST' | 'PUT') {
  return site.graph.requests.filter((request) => request.method === method);
}

test('gives the first answer to a request with the same key, also while the first is under way, in any instance', async () => {
  const key = newKey();
  site.graph.settings.uploadLatencyMs = 300;

  const answers = await Promise.all([attach(key, LARGE), attach(key, LARGE, second), attach(key, LARGE)]);
  const later = await attach(key, LARGE, second);

  expect([...answers, later].map(({ status }) => status)).toEqual([201, 201, 201, 201]);
  expect(new Set([...answers, later].map(({ body }) => body)).size).toBe(1);
  expect(attached()).toHaveLength(1);
});

test.each<[string, (key: Readonly<Record<string, string>>) => Promise<AttachAnswer>]>([
  ['name', (key) => attach(key, { ...SMALL, name: 'other' })],
  ['length', (key) => attach(key, { ...LARGE, name: SMALL.name })],
  ['type', (key) => attach({ ...key, 'content-type': 'text/plain' })],
  ['kind of id', (key) => attach({ ...key, prefer: 'IdType="ImmutableId"' })],
  ['item', (key) => postBytes(`${site.api}/${ITEMS.event.path}?name=${SMALL.name}`, SMALL.bytes, key)],
])('refuses the same key with another %s', async (_, other) => {
  const key = newKey();
  await attach(key);

  const { status, body } = await other(key);

  await expectGraphError(new Response(body, { status }), 422, 'IdempotencyKeyReused');
  expect(attached()).toHaveLength(1);
});

test.each([
  ['is empty', ''],
  ['has a space', 'a b'],
  ['is too long', 'a'.repeat(256)],
])('refuses a key that %s', async (_, key) => {
  const { status, body } = await attach({ 'idempotency-key': key });

  await expectGraphError(new Response(body, { status }), 400, 'InvalidRequest');
});

test('takes a repetition by the engine of Logic Apps for one, and the turns of a loop apart', async () => {
  const headers = { 'x-ms-workflow-run-id': 'run', 'x-ms-action-tracking-id': 'action' };

  const names = ['a', 'a', 'b', 'a'];
  const answers: AttachAnswer[] = [];
  for (const name of names) answers.push(await attach(headers, { ...SMALL, name }));
  await attach({ ...headers, 'x-ms-workflow-run-id': 'another run' }, { ...SMALL, name: 'a' });

  expect(answers.map(({ status }) => status)).toEqual(names.map(() => 201));
  expect(attached().map(({ name }) => name)).toEqual(['a', 'b', 'a']);
});

test('tries again by the same key after a refusal, and with another file', async () => {
  const key = newKey();
  site.graph.play({ error: 'status403', on: 'create' });

  const first = await attach(key, LARGE);
  const other = await attach(key, SMALL);

  expect([first.status, other.status]).toEqual([403, 201]);
  expect(attached()).toEqual([expect.objectContaining({ sha256: SMALL.sha256 })]);
});

/** Begins in the second instance, which is killed once Graph has got so far, longer ago than a request may take. */
async function loseFirst(file: typeof SMALL, key: ReturnType<typeof newKey>, isFar: () => boolean): Promise<void> {
  const lost = attach(key, file, second).catch(() => {});
  await until('Graph to have got so far', isFar);
  process.kill(second.host.workerPid, 'SIGKILL');
  await lost;
  await makeOlder(site.storage?.connectionString ?? '', key['idempotency-key'], DEFAULT_ATTACH_TIMEOUT_MS + 1_000);
}

describe('where the first instance is killed', () => {
  test.each([
    ['before Graph has the file', SMALL, { error: 'hangBeforeHeaders', on: 'attach' }],
    ['before Graph opens a session', LARGE, { error: 'hangBeforeHeaders', on: 'create' }],
    ['in the middle of the file', LARGE, { error: 'hangAfterCommit', chunk: 'first' }],
  ] as const)('%s, a repetition attaches it', async (_, file, fault) => {
    const key = newKey();
    site.graph.play(fault);
    await loseFirst(file, key, () => site.graph.requests.some((request) => request.error !== undefined));

    const answer = await attach(key, file);

    expect(answer.status).toBe(201);
    expect(attached()).toEqual([expect.objectContaining({ sha256: file.sha256 })]);
  });

  test.each([
    ['small', SMALL, { error: 'hangAfterCommit', on: 'attach' }],
    ['large', LARGE, { error: 'hangAfterCommit', chunk: 'last' }],
  ] as const)(
    'after Graph has attached a %s file, a repetition finds it and attaches no other',
    async (_, file, fault) => {
      const key = newKey();
      site.graph.play(fault);
      await loseFirst(file, key, () => attached().length === 1);
      const before = sent('POST').length + sent('PUT').length;

      const answer = await attach(key, file);

      expect([answer.status, JSON.parse(answer.body)]).toEqual([
        201,
        expect.objectContaining({ id: attached()[0]?.id, name: file.name, isInline: false, contentId: null }),
      ]);
      expect(attached()).toHaveLength(1);
      expect(sent('POST').length + sent('PUT').length).toBe(before);
    },
  );
});

test('attaches nothing by a key where the store is out of reach, and attaches without one', async () => {
  const nobodyListens = site.storage?.connectionString.replace(/:\d+\//g, ':9/') ?? '';
  const withoutStore = await startSecondHost(site, { ...SETTINGS, AzureWebJobsStorage: nobodyListens });

  const { status, body } = await attach(newKey(), SMALL, withoutStore);
  await expectGraphError(new Response(body, { status }), 503, 'StorageUnavailable');
  expect(attached()).toEqual([]);

  expect((await attach({}, SMALL, withoutStore)).status).toBe(201);
  await withoutStore.close();
});

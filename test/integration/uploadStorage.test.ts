import { ADELE } from '../../local/emulators/graph/seed.ts';
import { STORAGE_TIMEOUT_MS } from '../../shared/common/limits.ts';
import { takeAccount } from '../support/sharedStorage.ts';
import { expectGraphError, postJson, type Site, startSite } from '../support/site.ts';
import { type StorageFault, type StorageProxy, startStorageProxy } from '../support/storageProxy.ts';
import { until } from '../support/until.ts';
import { fileOf, openUpload, putFile, putRange, type TestFile } from '../support/uploads.ts';

/** Longer than the store's own time on any machine, and below the time for a range. */
const WITHIN_MS = 12 * STORAGE_TIMEOUT_MS;
const SLICE_BYTES = 100_000;

const file = fileOf(3 * SLICE_BYTES);

let proxy: StorageProxy;
let site: Site;

beforeAll(async () => {
  proxy = await startStorageProxy(takeAccount());
  site = await startSite({
    settings: { UPLOAD_URL: 'proxy', ALLOW_ANY_MAILBOX: 'true', AzureWebJobsStorage: proxy.connectionString },
    graph: { anyItem: true, minimumSize: 1 },
  });
});
afterEach(() => proxy.play('none'));
afterAll(async () => {
  await site.close();
  await proxy.close();
});

let items = 0;

/** An upload of which Graph holds the first slices already. */
async function begin(slices: number) {
  items += 1;
  const itemId = `item${items}`;
  const { url } = await openUpload(site, file, `users/${ADELE.id}/messages/${itemId}`);
  for (let n = 0; n < slices; n++) await (await putSlice(url, n)).arrayBuffer();
  return { url, attached: () => site.graph.attachments(ADELE.id, itemId).map(({ sha256 }) => sha256) };
}

function putSlice(url: string, n: number): Promise<Response> {
  return putRange(url, file, n * SLICE_BYTES, (n + 1) * SLICE_BYTES - 1);
}

/** As a client does that asks where it is: the file is there once at the end. */
async function resume(url: string, { bytes }: TestFile): Promise<void> {
  const { status, nextExpectedRanges } = JSON.parse(await (await fetch(url)).text());
  if (status === 'completed') return;
  const answers = await putFile(url, file, bytes.length, Number.parseInt(nextExpectedRanges[0], 10));
  expect(answers.map((answer) => answer.status)).toEqual([201]);
}

async function expectUnavailable(asked: Promise<Response>): Promise<void> {
  const startedAt = performance.now();
  await expectGraphError(await asked, 503, 'StorageUnavailable');
  expect(performance.now() - startedAt).toBeLessThan(WITHIN_MS);
}

const FAULTS: readonly (readonly [string, StorageFault])[] = [
  ['is down', { kind: 'resetBefore' }],
  ['is too slow', { kind: 'hang' }],
  ['is full', { kind: 'status', status: 507, code: 'InsufficientStorage' }],
  ['takes other credentials', { kind: 'status', status: 403, code: 'AuthenticationFailed' }],
  ['loses its answers', { kind: 'resetAfter' }],
];

describe.each(FAULTS)('where the store %s', (_, fault) => {
  test('every request says so in time, readiness names it, and uploads continue afterwards', async () => {
    const [held, begun, shown, cancelled] = await Promise.all([begin(1), begin(0), begin(1), begin(1)]);
    const opening = `${site.api}/users/${ADELE.id}/messages/opening/attachments/createUploadSession`;

    proxy.play(fault);
    const readiness = fetch(`${site.api}/health/ready`);
    await Promise.all([
      expectUnavailable(postJson(opening)),
      expectUnavailable(putSlice(held.url, 1)),
      expectUnavailable(putSlice(begun.url, 0)),
      expectUnavailable(fetch(shown.url)),
      expectUnavailable(fetch(cancelled.url, { method: 'DELETE' })),
    ]);
    expect([(await readiness).status, JSON.parse(await (await readiness).text()).checks.storage]).toEqual([
      503,
      'failing',
    ]);
    proxy.play('none');

    for (const { url, attached } of [held, begun, shown]) {
      expect(attached()).toEqual([]);
      await resume(url, file);
      expect(attached()).toEqual([file.sha256]);
    }
    expect((await fetch(cancelled.url, { method: 'DELETE' })).status).toBe(204);
  });

  test.each([
    ['a piece', 1],
    ['the last piece', 2],
  ])(
    'returns 503 if storage fails after Graph has taken %s; the client then continues and the file is attached once',
    async (__, slice) => {
      const { url, attached } = await begin(slice);
      site.graph.settings.uploadLatencyMs = 500;
      const pieces = () => site.graph.requests.filter(({ method, bytes }) => method === 'PUT' && bytes === SLICE_BYTES);
      const before = pieces().length;

      const answered = expectUnavailable(putSlice(url, slice));
      await until('the piece at Graph', () => pieces().length > before);
      proxy.play(fault);
      await answered;
      proxy.play('none');
      site.graph.settings.uploadLatencyMs = 0;

      await resume(url, file);
      expect(attached()).toEqual([file.sha256]);
    },
  );
});

test('a store that is slow and in time keeps nothing from continuing', async () => {
  const { url, attached } = await begin(0);
  proxy.play({ kind: 'slow', ms: 300 });

  const answers = await putFile(url, file, SLICE_BYTES);

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 201]);
  expect(attached()).toEqual([file.sha256]);
});

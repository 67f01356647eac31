import { STORAGE_TIMEOUT_MS } from '../../shared/common/limits.ts';
import { ServiceError } from '../../shared/errors.ts';
import { formatCause } from '../../shared/logging/mask.ts';
import { createUploadContainer, type UploadContainer } from '../../shared/storage/blobContainer.ts';
import { createSecret, formatSecret } from '../../shared/storage/seal.ts';
import { createUploadStore, type StoredUpload, type UploadStore } from '../../shared/uploads/uploadRecord.ts';
import { openContainer } from '../support/readWholeStore.ts';
import { takeAccount } from '../support/sharedStorage.ts';
import { type StorageFault, type StorageProxy, startStorageProxy } from '../support/storageProxy.ts';
import { uploadRecordOf } from '../support/uploadRecords.ts';

const MAX_MS = STORAGE_TIMEOUT_MS + 1_500;

const account = takeAccount();
let proxy: StorageProxy;
let container: UploadContainer;
let store: UploadStore;
let upload: StoredUpload;
const failures: unknown[] = [];

function open(connectionString: string): void {
  container = createUploadContainer({ kind: 'connectionString', connectionString }, (error) => failures.push(error));
  store = createUploadStore(container);
}

beforeEach(async () => {
  proxy = await startStorageProxy(account);
  open(proxy.connectionString);
  upload = await store.create(uploadRecordOf());
  failures.length = 0;
});
afterEach(() => proxy.close());

/** Every way to use the store. */
const OPERATIONS: Readonly<Record<string, () => Promise<unknown>>> = {
  create: () => store.create(uploadRecordOf()),
  read: () => store.read(upload.id),
  write: () => store.write(upload, { ...upload.record, offset: 1 }),
  acquireLease: () => store.acquireLease(upload.id, 15),
  breakLease: () => store.breakLease(upload.id),
  check: () => container.check(),
};

/** Demands of every operation that it fails as the store's failure, in time, and leaves the record as it was. */
async function expectUnavailable(): Promise<void> {
  const started = performance.now();
  const outcomes = await Promise.allSettled(Object.values(OPERATIONS).map((run) => run()));

  for (const [index, outcome] of outcomes.entries()) {
    const name = Object.keys(OPERATIONS)[index];
    const reason: unknown = outcome.status === 'rejected' ? outcome.reason : `${name} succeeded`;
    expect([name, reason]).toEqual([name, expect.any(ServiceError)]);
    expect(reason).toMatchObject({ code: 'StorageUnavailable', status: 503 });
    const log = formatCause(reason);
    expect(log).not.toMatch(/Zq7|SharedKey|AccountKey/);
    expect(log).not.toContain(upload.id);
  }
  expect(performance.now() - started).toBeLessThan(MAX_MS);
  expect(failures).toHaveLength(outcomes.length);
}

const LASTING: readonly (readonly [string, StorageFault])[] = [
  ['refuses the credentials', { kind: 'status', status: 403, code: 'AuthenticationFailed' }],
  ['does not let the app in', { kind: 'status', status: 403, code: 'AuthorizationPermissionMismatch' }],
  ['fails', { kind: 'status', status: 500, code: 'InternalError' }],
  ['is busy', { kind: 'status', status: 503, code: 'ServerBusy' }],
  ['is full', { kind: 'status', status: 507, code: 'InsufficientStorage' }],
  ['is being deleted', { kind: 'status', status: 409, code: 'ContainerBeingDeleted' }],
  ['is disabled', { kind: 'status', status: 409, code: 'AccountIsDisabled' }],
  ['is not there', { kind: 'status', status: 404, code: 'ResourceNotFound' }],
  ['breaks each connection', { kind: 'resetBefore' }],
  ['never answers', { kind: 'hang' }],
];

describe('where the store', () => {
  test.each(LASTING)('%s, every operation says so in time, and nothing is half done', async (_, fault) => {
    proxy.play(fault);
    await expectUnavailable();
    proxy.play('none');

    expect(await store.read(upload.id)).toEqual(upload);
  });

  test('stops in the middle of an answer, a record is not half read', async () => {
    proxy.play({ kind: 'hangInBody' });

    await expect(store.read(upload.id)).rejects.toMatchObject({ code: 'StorageUnavailable' });
  });

  test('takes no connections, every operation says so in time', async () => {
    await proxy.close();

    await expectUnavailable();
  });

  test('refuses the key, every operation says so in time', async () => {
    open(account.connectionString.replace(account.accountKey, createSecret().toString('base64')));

    await expectUnavailable();
    expect(formatCause(failures[0])).toMatch(/403/);
  });

  test('comes back, the same process continues', async () => {
    await proxy.close();
    await expect(store.read(upload.id)).rejects.toThrow(ServiceError);
    const again = await startStorageProxy(account, proxy.port);
    try {
      expect(await store.read(upload.id)).toEqual(upload);
    } finally {
      await again.close();
    }
  });

  test.each([
    { kind: 'status', status: 503, code: 'ServerBusy' },
    { kind: 'status', status: 500, code: 'OperationTimedOut' },
    { kind: 'resetBefore' },
  ] as const)('fails twice with $kind $status, nobody notices', async (fault) => {
    for (const run of [OPERATIONS['read'], OPERATIONS['create'], OPERATIONS['write'], OPERATIONS['check']]) {
      proxy.play(fault, { times: 2 });
      await run?.();
    }
    expect(failures).toEqual([]);
  });
});

describe('where the answer is lost', () => {
  beforeEach(() => proxy.play({ kind: 'resetAfter' }, { times: 1, method: 'PUT' }));

  test('to a creation, the upload is there once and can be written', async () => {
    const before = await countBlobs();
    const created = await store.create(uploadRecordOf());
    const written = await store.write(created, { ...created.record, offset: 7 });

    expect(await store.read(created.id)).toEqual(written);
    expect(await countBlobs()).toBe(before + 1);
  });

  test('to a write, it counts, and can be written upon', async () => {
    const written = await store.write(upload, { ...upload.record, offset: 7 });

    expect(await store.read(upload.id)).toEqual(written);
    await store.write(written, { ...upload.record, offset: 8 });
  });

  test('to a lease, it is held', async () => {
    const lease = await store.acquireLease(upload.id, 15);

    expect(lease).toBeDefined();
    await store.write(upload, { ...upload.record, offset: 7 }, lease);
  });

  async function countBlobs(): Promise<number> {
    let count = 0;
    for await (const _ of openContainer(account.connectionString).listBlobsFlat()) count++;
    return count;
  }
});

test('asks nothing of the store for an id that it cannot have made', async () => {
  const { length } = proxy.requests;

  for (const id of ['', 'x', '../upload-sessions', `${'A'.repeat(42)}B`, `${formatSecret(createSecret())}A`, '%2e']) {
    expect(await store.read(id)).toBeUndefined();
    expect(await store.acquireLease(id, 15)).toBeUndefined();
  }

  expect(proxy.requests).toHaveLength(length);
});

test('sends one request for a read and one for a write', async () => {
  const { length } = proxy.requests;

  await store.read(upload.id);
  await store.write(upload, upload.record);

  expect(proxy.requests.slice(length).map((request) => request.split(' ')[0])).toEqual(['GET', 'PUT']);
});

test('says where no account is set which setting names one, and asks nothing', async () => {
  const none = createUploadContainer({ kind: 'none' }, (error) => failures.push(error));
  const without = createUploadStore(none);

  for (const work of [without.create(uploadRecordOf()), without.read(upload.id), none.check()]) {
    await expect(work).rejects.toMatchObject({
      code: 'StorageNotConfigured',
      status: 501,
      message: expect.stringContaining('AzureWebJobsStorage'),
    });
  }
  expect(none.isConfigured).toBe(false);
  expect(failures).toEqual([]);
});

import { AccountSASPermissions, BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { MAX_RECORD_BYTES } from '../../shared/common/limits.ts';
import { createUploadContainer } from '../../shared/storage/blobContainer.ts';
import { RecordConflict } from '../../shared/storage/recordStore.ts';
import { createSecret, formatSecret, nameOf, parseSecret, seal } from '../../shared/storage/seal.ts';
import { createSealedBlobs } from '../../shared/storage/sealedBlobs.ts';
import { createUploadStore, type StoredUpload, type UploadStore } from '../../shared/uploads/uploadRecord.ts';
import { configOf } from '../support/builders.ts';
import { openContainer, readWholeStore } from '../support/readWholeStore.ts';
import { takeAccount } from '../support/sharedStorage.ts';
import { uploadRecordOf } from '../support/uploadRecords.ts';

const account = takeAccount();
let container: ContainerClient;
let store: UploadStore;

const noFailure = (error: unknown) => {
  throw error;
};

function storeAt(connectionString: string, now?: () => number): UploadStore {
  return createUploadStore(createUploadContainer({ kind: 'connectionString', connectionString }, noFailure), now);
}

function blobOf(id: string) {
  return container.getBlockBlobClient(nameOf(parseSecret(id) ?? Buffer.of()));
}

async function put(id: string, bytes: Buffer): Promise<void> {
  await blobOf(id).upload(bytes, bytes.length);
}

beforeAll(async () => {
  container = openContainer(account.connectionString);
  store = storeAt(account.connectionString);
});

describe('a new account', () => {
  test('has no upload, and gets its container with the first of many at once', async () => {
    const fresh = takeAccount();
    const many = Array.from({ length: 8 }, () => storeAt(fresh.connectionString));
    expect(await many[0]?.read(formatSecret(createSecret()))).toBeUndefined();

    const uploads = await Promise.all(many.map((one) => one.create(uploadRecordOf())));

    for (const { id, record } of uploads) expect((await many[0]?.read(id))?.record).toEqual(record);
  });
});

describe('the settings', () => {
  test.each([
    ['a key, in another letter case', () => account.connectionString.replace('AccountKey', 'accountkey')],
    ['a shared access signature', signedConnectionString],
  ])('reach the account with %s', async (_, connectionString) => {
    const { storage } = configOf({ AzureWebJobsStorage: connectionString() });
    const one = createUploadStore(createUploadContainer(storage, noFailure));

    const created = await one.create(uploadRecordOf());

    expect(await store.read(created.id)).toEqual(created);
  });

  function signedConnectionString(): string {
    const service = BlobServiceClient.fromConnectionString(account.connectionString);
    const url = service.generateAccountSasUrl(undefined, AccountSASPermissions.parse('rwcl'), 'sco');
    return `BlobEndpoint=${account.blobUrl};SharedAccessSignature=${new URL(url).search.slice(1)}`;
  }
});

describe('an upload', () => {
  test('is read as it was created, by another instance too', async () => {
    const created = await store.create(uploadRecordOf());

    expect(created.id).toMatch(/^[\w-]{43}$/);
    expect(await store.read(created.id)).toEqual(created);
    expect(await storeAt(account.connectionString).read(created.id)).toEqual(created);
  });

  test('is written again and again, each time upon what was last', async () => {
    let upload = await store.create(uploadRecordOf());
    for (const offset of [3_932_160, 5_242_880]) {
      upload = await store.write(upload, { ...upload.record, offset });
      expect(await store.read(upload.id)).toEqual(upload);
    }
  });

  test('is not written upon a state that is gone', async () => {
    const first = await store.create(uploadRecordOf());
    const second = await store.write(first, { ...first.record, offset: 1 });

    await expect(store.write(first, { ...first.record, offset: 2 })).rejects.toThrow(RecordConflict);

    expect(await store.read(first.id)).toEqual(second);
  });

  test('is written by exactly one of many at once', async () => {
    const upload = await store.create(uploadRecordOf());
    const others = Array.from({ length: 20 }, (_, offset) =>
      storeAt(account.connectionString).write(upload, { ...upload.record, offset }),
    );

    const outcomes = await Promise.allSettled(others);

    const winners = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(winners).toHaveLength(1);
    expect(await store.read(upload.id)).toEqual(winners[0]);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(RecordConflict);
    }
  });

  test('is not brought back by a write once it is deleted', async () => {
    const upload = await store.create(uploadRecordOf());
    await blobOf(upload.id).delete();

    await expect(store.write(upload, upload.record)).rejects.toThrow(RecordConflict);
    expect(await store.read(upload.id)).toBeUndefined();
  });

  test('is gone after a day', async () => {
    const { id, record } = await store.create(uploadRecordOf());
    const at = (milliseconds: number) => storeAt(account.connectionString, () => Date.now() + milliseconds);

    expect((await at(86_399_000).read(id))?.record).toEqual(record);
    expect(await at(86_400_001).read(id)).toBeUndefined();
  });

  test('shows nothing of itself to a reader of the account', async () => {
    const { id, record } = await store.create(uploadRecordOf());
    const secret = parseSecret(id) ?? Buffer.of();

    const all = await readWholeStore(account.connectionString);

    expect(all).toContain(nameOf(secret));
    for (const shown of [id, secret.toString('hex'), secret.toString('base64'), secret.toString('latin1')]) {
      expect(all).not.toContain(shown);
    }
    expect(all).not.toMatch(/Zq7|authtoken|outlook|adele|AAMk|invoices|uploading/i);
    expect(record.session?.uploadUrl).toContain('Zq7');
  });
});

describe('an id without an upload', () => {
  test.each([
    ['of nothing', async () => {}],
    ['of an emptied blob', (id: string) => put(id, Buffer.of())],
    ['of garbage', (id: string) => put(id, Buffer.from('{"state":"uploading"}'))],
    ['of a blob that is larger than a record', (id: string) => put(id, Buffer.alloc(4 * MAX_RECORD_BYTES))],
    [
      'of what was sealed for another purpose',
      (id: string) => put(id, seal(Buffer.from(JSON.stringify(uploadRecordOf())), secretOf(id), 'job')),
    ],
    ['of something else than a record', (id: string) => put(id, seal(Buffer.from('{}'), secretOf(id), 'upload'))],
    [
      "of another upload's content",
      async (id: string) => {
        const other = await store.create(uploadRecordOf());
        await put(id, await blobOf(other.id).downloadToBuffer());
      },
    ],
    [
      'of a record with one bit changed',
      async (id: string) => {
        const sealed = seal(Buffer.from(JSON.stringify(uploadRecordOf())), secretOf(id), 'upload');
        sealed[sealed.length >> 1] = (sealed[sealed.length >> 1] ?? 0) ^ 1;
        await put(id, sealed);
      },
    ],
  ] as const)('%s reads as none', async (_, prepare) => {
    const id = formatSecret(createSecret());
    await store.create(uploadRecordOf()); // So that the container is there.
    await prepare(id);

    expect(await store.read(id)).toBeUndefined();
  });

  function secretOf(id: string): Buffer {
    return parseSecret(id) ?? Buffer.of();
  }
});

describe('a lease', () => {
  let upload: StoredUpload;

  beforeEach(async () => {
    upload = await store.create(uploadRecordOf());
  });

  test('is held by one at a time, and seen by all', async () => {
    const lease = await store.acquireLease(upload.id, 15);

    expect(lease?.id).toBe(upload.id);
    expect(await store.acquireLease(upload.id, 15)).toBeUndefined();
    expect(await store.read(upload.id)).toEqual({ ...upload, isLeased: true });
  });

  test('is got by exactly one of many at once', async () => {
    const leases = await Promise.all(
      Array.from({ length: 10 }, () => storeAt(account.connectionString).acquireLease(upload.id, 15)),
    );

    expect(leases.filter((lease) => lease !== undefined)).toHaveLength(1);
  });

  test('lets its holder write, and nobody else', async () => {
    const lease = await store.acquireLease(upload.id, 15);

    await expect(store.write(upload, { ...upload.record, offset: 1 })).rejects.toThrow(RecordConflict);
    const written = await store.write(upload, { ...upload.record, offset: 2 }, lease);

    expect(written.isLeased).toBe(true);
    expect(await store.read(upload.id)).toEqual(written);
    await expect(store.write(upload, { ...upload.record, offset: 3 }, lease)).rejects.toThrow(RecordConflict);
  });

  test('is renewed while it is held, and not afterwards', async () => {
    const lease = await store.acquireLease(upload.id, 15);
    if (lease === undefined) throw new Error('No lease.');

    expect(await store.renewLease(lease)).toBe(true);
    await store.releaseLease(lease);
    await store.releaseLease(lease);
    expect(await store.acquireLease(upload.id, 15)).toBeDefined();

    expect(await store.renewLease(lease)).toBe(false);
    await expect(store.write(upload, upload.record, lease)).rejects.toThrow(RecordConflict);
  });

  test('can be taken away, so that what its holder writes next is refused', async () => {
    const lease = await store.acquireLease(upload.id, 15);
    await store.breakLease(upload.id);
    const cancelled = await store.write(upload, { ...upload.record, state: { status: 'cancelled' } });

    await expect(store.write(upload, { ...upload.record, offset: 1 }, lease)).rejects.toThrow(RecordConflict);
    expect(await store.read(upload.id)).toEqual(cancelled);
    await store.breakLease(upload.id);
  });

  test('is not to be had of an upload that is not there', async () => {
    const id = formatSecret(createSecret());

    expect(await store.acquireLease(id, 15)).toBeUndefined();
    expect(await store.acquireLease('nonsense', 15)).toBeUndefined();
    await store.breakLease(id);
  });
});

describe('other small texts of the store', () => {
  test('are made once, replaced on condition, and kept apart by purpose', async () => {
    const uploads = createUploadContainer(
      { kind: 'connectionString', connectionString: account.connectionString },
      noFailure,
    );
    const blobs = createSealedBlobs(uploads, 'idempotency');
    const secret = createSecret();

    const etag = await blobs.create(secret, Buffer.from('first'));
    expect(await blobs.create(secret, Buffer.from('second'))).toBeUndefined();
    expect(await blobs.read(secret)).toEqual({ etag, content: Buffer.from('first'), isLeased: false });
    const next = await blobs.replace(secret, etag ?? '', Buffer.from('third'));
    expect(await blobs.replace(secret, etag ?? '', Buffer.from('fourth'))).toBeUndefined();

    expect(await blobs.read(secret)).toEqual({ etag: next, content: Buffer.from('third'), isLeased: false });
    expect(await store.read(formatSecret(secret))).toBeUndefined();
  });
});

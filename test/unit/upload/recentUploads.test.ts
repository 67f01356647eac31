import { createRecentUploads } from '../../../shared/upload/recentUploads.ts';
import { createUploadRecord, type UploadRecord } from '../../../shared/upload/uploadRecord.ts';
import { type StoredUpload, UploadConflict } from '../../../shared/upload/uploadStore.ts';

const LATE_WRITE_MS = 20;
const asItIs = () => true;
const never = () => false;

const RECORD: UploadRecord = createUploadRecord({
  target: { kind: 'message', version: 'v1.0', owner: { kind: 'mailbox', id: 'a@b.example' }, itemPath: 'messages/m' },
  caller: 'functionKey',
  attachment: { name: 'report.pdf', sizeBytes: 100 },
  wantsImmutableIds: false,
  session: undefined,
});

function stored(offset: number, isWritten: boolean, etag = 'first'): StoredUpload {
  return { id: 'id', etag, record: { ...RECORD, offset }, isLeased: false, isWritten };
}

const AHEAD = stored(40, false);
const WRITTEN = stored(40, true);

/** A store that takes each write, or none; at once, or when it may. */
function recentOver(failure?: Error, isHeld = false) {
  const written: number[] = [];
  const { promise: mayGoOn, resolve: finish } = Promise.withResolvers<void>();
  const write = async (upload: StoredUpload, record: UploadRecord): Promise<StoredUpload> => {
    written.push(record.offset);
    if (isHeld) await mayGoOn;
    if (failure !== undefined) throw failure;
    return { ...upload, record, etag: 'second', isWritten: true };
  };
  return { written, finish, recent: createRecentUploads({ write }, LATE_WRITE_MS) };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('createRecentUploads', () => {
  it('gives what it keeps once, and writes nothing of what is taken', async () => {
    const { recent, written } = recentOver();
    recent.keep(AHEAD);

    expect(await recent.take('id', asItIs)).toEqual(AHEAD);
    expect(await recent.take('id', asItIs)).toBeUndefined();
    await pause(2 * LATE_WRITE_MS);
    expect(written).toEqual([]);
  });

  it('writes by itself what nobody takes, and keeps it with its new etag', async () => {
    const { recent, written } = recentOver();
    recent.keep(AHEAD);

    await pause(3 * LATE_WRITE_MS);

    expect(written).toEqual([40]);
    expect(await recent.take('id', asItIs)).toEqual(stored(40, true, 'second'));
  });

  it('gives what is not written yet in any case, and what is written where it is wanted alone', async () => {
    const { recent, written } = recentOver();

    recent.keep(AHEAD);
    expect(await recent.take('id', never)).toEqual(AHEAD);
    recent.keep(WRITTEN);
    expect(await recent.take('id', never)).toBeUndefined();
    expect(await recent.take('id', asItIs)).toBeUndefined();
    expect(written).toEqual([]);
  });

  it('shows what is newer than the store, and keeps it', async () => {
    const { recent } = recentOver();

    recent.keep(AHEAD);
    expect([await recent.peek('id'), await recent.peek('id')]).toEqual([AHEAD, AHEAD]);
    recent.keep(WRITTEN);
    expect(await recent.peek('id')).toBeUndefined();
  });

  it('waits for a write that is under way', async () => {
    const { recent, finish } = recentOver(undefined, true);
    recent.keep(AHEAD);
    await pause(2 * LATE_WRITE_MS);

    const taken = recent.take('id', asItIs);
    finish();

    expect(await taken).toEqual(stored(40, true, 'second'));
  });

  it('fails with a write that is under way and fails', async () => {
    const { recent, finish } = recentOver(new Error('down'), true);
    recent.keep(AHEAD);
    await pause(2 * LATE_WRITE_MS);

    const taken = recent.take('id', asItIs);
    finish();

    await expect(taken).rejects.toThrow('down');
    expect(await recent.take('id', asItIs)).toBeUndefined();
  });

  it.each([new UploadConflict('moved on'), new Error('down')])(
    'forgets what cannot be written: %p',
    async (failure) => {
      const { recent, written } = recentOver(failure);
      recent.keep(AHEAD);

      await pause(3 * LATE_WRITE_MS);

      expect(written).toEqual([40]);
      expect(await recent.take('id', asItIs)).toBeUndefined();
    },
  );
});

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

function stored(offset: number, etag = 'first'): StoredUpload {
  return { id: 'id', etag, record: { ...RECORD, offset }, isLeased: false };
}

/** A store that takes each write, or none. */
function recentOver(failure?: Error) {
  const written: number[] = [];
  const write = async (upload: StoredUpload, record: UploadRecord): Promise<StoredUpload> => {
    written.push(record.offset);
    if (failure !== undefined) throw failure;
    return { ...upload, record, etag: 'second' };
  };
  return { written, recent: createRecentUploads({ write }, LATE_WRITE_MS) };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('createRecentUploads', () => {
  it('gives what it keeps once, and writes nothing of what is taken', async () => {
    const { recent, written } = recentOver();
    recent.keep(stored(40), false);

    expect(await recent.take('id', asItIs)).toEqual(stored(40));
    expect(await recent.take('id', asItIs)).toBeUndefined();
    await pause(2 * LATE_WRITE_MS);
    expect(written).toEqual([]);
  });

  it('writes by itself what nobody takes, and keeps it with its new etag', async () => {
    const { recent, written } = recentOver();
    recent.keep(stored(40), false);

    await pause(3 * LATE_WRITE_MS);

    expect(written).toEqual([40]);
    expect(await recent.take('id', asItIs)).toEqual(stored(40, 'second'));
  });

  it('writes first what is not wanted as it is', async () => {
    const { recent, written } = recentOver();
    recent.keep(stored(40), false);

    expect(await recent.take('id', never)).toBeUndefined();
    expect(written).toEqual([40]);
    expect(await recent.take('id', asItIs)).toBeUndefined();
  });

  it('does not write what is written', async () => {
    const { recent, written } = recentOver();
    recent.keep(stored(40), true);

    expect(await recent.take('id', never)).toBeUndefined();
    expect(written).toEqual([]);
  });

  it('waits for a write that is under way', async () => {
    const { recent } = recentOver();
    recent.keep(stored(40), false);

    const [refused, taken] = await Promise.all([
      recent.take('id', never),
      pause(1).then(() => recent.take('id', asItIs)),
    ]);

    expect([refused, taken]).toEqual([undefined, undefined]);
  });

  it.each([new UploadConflict('moved on'), new Error('down')])(
    'forgets what cannot be written: %p',
    async (failure) => {
      const { recent, written } = recentOver(failure);
      recent.keep(stored(40), false);

      await pause(3 * LATE_WRITE_MS);

      expect(written).toEqual([40]);
      expect(await recent.take('id', asItIs)).toBeUndefined();
    },
  );
});

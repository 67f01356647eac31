import {
  MAX_SESSIONS_OPENED,
  UPLOAD_LEASE_POLL_MS,
  UPLOAD_LEASE_RENEW_MS,
  UPLOAD_LEASE_SECONDS,
} from '../../../shared/common/limits.ts';
import type { AttachmentsApi, GraphAttachment } from '../../../shared/graph/attachmentsApi.ts';
import { RecordConflict, type RecordLease } from '../../../shared/storage/recordStore.ts';
import { UploadProgress } from '../../../shared/uploads/uploadProgress.ts';
import type { StoredUpload, UploadRecord, UploadState } from '../../../shared/uploads/uploadRecord.ts';
import { createMemoryRecords, type MemoryRecords } from '../../support/memoryRecords.ts';
import { uploadRecordOf } from '../../support/uploadRecords.ts';

const NOW = Date.parse('2026-11-29T10:00:00Z');
const SIZE = 240;
const SESSION = { uploadUrl: 'https://outlook.office.com/new', expirationDateTime: '2026-11-29T12:00:00Z' };
const LOCATION = "https://outlook.office.com/Attachments('AAMk%3D')";
const COMPLETED: UploadState = { status: 'completed', location: LOCATION, attachmentId: 'AAMk=' };
const FAILURE = { status: 413, code: 'ErrorMessageSizeExceeded', message: 'Too large.' };
/** So often a write is tried against conflicts. */
const TRIES = 8;

const { signal } = new AbortController();

let uploads: MemoryRecords<UploadRecord>;
let attachments: GraphAttachment[];
let openSession: jest.Mock<ReturnType<AttachmentsApi['openSession']>, Parameters<AttachmentsApi['openSession']>>;

beforeEach(() => {
  jest.useFakeTimers({ now: NOW, doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  uploads = createMemoryRecords();
  attachments = [];
  openSession = jest.fn(async (_attachment) => SESSION);
});
afterEach(() => {
  const timersLeft = jest.getTimerCount();
  jest.useRealTimers();
  expect(timersLeft).toBe(0);
});

interface Begun {
  readonly progress: UploadProgress;
  readonly id: string;
  readonly stored: StoredUpload;
  /** What the store has. */
  record(): UploadRecord;
}

function transferOf(stored: StoredUpload, lease?: RecordLease): UploadProgress {
  const item: AttachmentsApi = {
    mailbox: 'adele@contoso.example',
    locationOf: (id) => `https://graph.microsoft.com/${id}`,
    openSession,
    addAttachment: () => Promise.reject(new Error('not here')),
    listAttachments: async () => attachments,
    readAttachment: () => Promise.reject(new Error('not here')),
    readContent: () => Promise.reject(new Error('not here')),
  };
  return new UploadProgress(uploads, item, stored, lease);
}

async function begin(changes: Partial<UploadRecord> = {}): Promise<Begun> {
  const attachment = { name: 'report.pdf', sizeBytes: SIZE };
  const stored = await uploads.create(uploadRecordOf({ attachment, ...changes }));
  const { id } = stored;
  uploads.calls.length = 0;
  return { progress: transferOf(stored), id, stored, record: () => uploads.recordOf(id) };
}

/** A progress whose record its own lease holds. */
async function beginLeased(changes: Partial<UploadRecord> = {}): Promise<Begun & { readonly lease: RecordLease }> {
  const begun = await begin(changes);
  const lease = await leaseOf(begun.id);
  return { ...begun, lease, progress: transferOf({ ...begun.stored, isLeased: true }, lease) };
}

async function leaseOf(id: string): Promise<RecordLease> {
  const lease = await uploads.acquireLease(id, UPLOAD_LEASE_SECONDS);
  if (lease === undefined) throw new Error('Another holds it.');
  return lease;
}

/** Lets another write the record before each of the next writes. */
function conflictBeforeWrites(id: string, count: number, changes: Partial<UploadRecord> = { sessionsOpened: 2 }): void {
  const { write } = uploads;
  let left = count;
  uploads.write = async (...about) => {
    if (left > 0) uploads.change(id, changes);
    left -= 1;
    return write(...about);
  };
}

function writes(): number {
  return uploads.calls.filter((name) => name === 'write').length;
}

describe('the account of a transfer', () => {
  it('writes an intention before it is acted upon, among what Graph may hold already', async () => {
    const { progress, record } = await begin({ uncertainOffsets: [120] });

    await progress.announce(60);
    await progress.announce(240);
    await progress.announce(120);

    expect(record().uncertainOffsets).toEqual([60, 120, 240]);
    expect([progress.uncertainOffsets, writes()]).toEqual([[60, 120, 240], 3]);
  });

  it('writes an intention that is there already, so that another sender finds out', async () => {
    const { progress, stored } = await begin({ uncertainOffsets: [60] });

    await progress.announce(60);

    await expect(transferOf(stored).announce(60)).rejects.toBeInstanceOf(RecordConflict);
  });

  it.each([true, false])('writes what Graph holds at once, whether Graph said so itself: %s', async (isSaid) => {
    const { progress, record } = await begin({ uncertainOffsets: [120] });

    await progress.confirm(120, [240], isSaid);

    expect([record().offset, record().uncertainOffsets, writes()]).toEqual([120, [240], 1]);
    expect([progress.record.offset, progress.uncertainOffsets]).toEqual([120, [240]]);
  });

  it('writes what Graph said although another sender of the same bytes has written meanwhile', async () => {
    const { progress, stored, id, record } = await begin();
    await progress.announce(120);
    const other = transferOf(stored);
    await other.refresh();
    await other.announce(120);

    await progress.confirm(120, [], true);

    expect(record()).toMatchObject({ offset: 120, uncertainOffsets: [] });
    await expect(other.confirm(120, [], false)).rejects.toBeInstanceOf(RecordConflict);
    expect(uploads.recordOf(id)).toMatchObject({ offset: 120, uncertainOffsets: [] });
  });

  it.each<[string, Partial<UploadRecord>]>([
    ['has moved the upload on', { offset: 180, uncertainOffsets: [SIZE] }],
    ['has written as much', { offset: 120, uncertainOffsets: [SIZE] }],
    ['has opened a new session', { session: SESSION }],
    ['has completed the upload', { state: COMPLETED }],
    ['has cancelled the upload', { state: { status: 'cancelled' } }],
  ])('leaves the record as it is if another sender %s', async (_, changes) => {
    const { progress, id, record } = await begin();
    uploads.change(id, changes);
    const changed = record();

    await expect(progress.confirm(120, [], true)).rejects.toBeInstanceOf(RecordConflict);

    expect([record(), progress.record]).toEqual([changed, changed]);
  });

  it('does not write a conclusion from a refusal over what another sender has written', async () => {
    const { progress, id, record } = await begin({ uncertainOffsets: [120] });
    uploads.change(id, { uncertainOffsets: [60, 120] });

    await expect(progress.confirm(120, [], false)).rejects.toBeInstanceOf(RecordConflict);

    expect(record()).toMatchObject({ offset: 0, uncertainOffsets: [60, 120] });
  });

  it('forgets what Graph may hold after a refusal', async () => {
    const { progress, record } = await begin({ uncertainOffsets: [60, 240] });

    await progress.refused();

    expect(record().uncertainOffsets).toEqual([]);
  });

  it.each([
    ['the last piece may have been taken', { uncertainOffsets: [120, SIZE] }, true],
    ['another piece may have been taken', { uncertainOffsets: [120] }, false],
    ['nothing may have been taken', {}, false],
    ['it is attached', { uncertainOffsets: [SIZE], state: COMPLETED }, false],
    ['it was cancelled', { uncertainOffsets: [SIZE], state: { status: 'cancelled' } }, true],
  ] as const)('knows whether the file may be attached: %s', async (_, changes, expected) => {
    const { progress } = await begin(changes);

    expect(progress.mayBeAttached).toBe(expected);
  });

  it('finds the attachment at the item', async () => {
    const { progress } = await begin();
    expect(await progress.findAttachment()).toBeUndefined();

    attachments = [{ id: 'AAMk=', name: 'report.pdf', size: SIZE }];

    expect(await progress.findAttachment()).toEqual({
      kind: 'attached',
      location: 'https://graph.microsoft.com/AAMk=',
    });
  });

  it('writes how the upload failed', async () => {
    const { progress, record } = await begin();

    await progress.fail(FAILURE);

    expect(record().state).toEqual({ status: 'failed', error: FAILURE });
  });

  it('does not write over what another has written', async () => {
    const { progress, id, record } = await begin();
    uploads.change(id, { offset: 120 });

    for (const write of [
      () => progress.announce(60),
      () => progress.confirm(60, [], false),
      () => progress.confirm(180, [], false),
      () => progress.refused(),
      () => progress.fail(FAILURE),
      () => progress.openSession(),
    ]) {
      await expect(write()).rejects.toBeInstanceOf(RecordConflict);
    }
    expect(record()).toMatchObject({ offset: 120, uncertainOffsets: [], state: { status: 'uploading' } });
  });
});

describe('a new session', () => {
  it('begins at the start of the file, with nothing that Graph may hold', async () => {
    const { progress, record } = await begin({ offset: 60, uncertainOffsets: [120], sessionsOpened: 1 });

    await progress.openSession();

    expect(openSession).toHaveBeenCalledWith({ name: 'report.pdf', sizeBytes: SIZE });
    expect(record()).toMatchObject({ session: SESSION, offset: 0, uncertainOffsets: [], sessionsOpened: 2 });
  });

  it('is opened for an upload a few times at most', async () => {
    const { progress, record } = await begin({ sessionsOpened: 1 });
    const opened: boolean[] = [];

    for (let tries = 0; tries < MAX_SESSIONS_OPENED; tries += 1) opened.push(await progress.reopen());

    expect(opened).toEqual([...Array(MAX_SESSIONS_OPENED - 1).fill(true), false]);
    expect([record().sessionsOpened, openSession.mock.calls.length]).toEqual([
      MAX_SESSIONS_OPENED,
      MAX_SESSIONS_OPENED - 1,
    ]);
  });

  it('leaves the record as it is where Graph opens none', async () => {
    const { progress, record } = await begin({ offset: 60 });
    openSession.mockRejectedValue(new Error('refused'));

    await expect(progress.reopen()).rejects.toThrow('refused');
    expect([record().offset, writes()]).toEqual([60, 0]);
  });
});

describe('the end of an upload', () => {
  it('is written with the location and the id in it', async () => {
    const { progress, record } = await begin({ offset: 60, uncertainOffsets: [SIZE] });

    await progress.complete(LOCATION);

    expect(record()).toMatchObject({ state: COMPLETED, offset: SIZE, uncertainOffsets: [] });
    expect(progress.mayBeAttached).toBe(false);
  });

  it.each([1, 2, TRIES - 1])('is written in spite of %d conflicts', async (conflicts) => {
    const { progress, id, record } = await begin();
    conflictBeforeWrites(id, conflicts);

    await progress.complete(LOCATION);

    expect(record()).toMatchObject({ state: COMPLETED, sessionsOpened: 2 });
    expect(writes()).toBe(conflicts + 1);
  });

  it('is given up where the conflicts never stop', async () => {
    const { progress, id, record } = await begin();
    conflictBeforeWrites(id, Number.POSITIVE_INFINITY);

    await expect(progress.complete(LOCATION)).rejects.toBeInstanceOf(RecordConflict);
    expect([writes(), record().state.status]).toEqual([TRIES, 'uploading']);
  });

  it('is not tried again after another failure', async () => {
    const { progress } = await begin();
    uploads.failures.set('write', new Error('down'));

    await expect(progress.complete(LOCATION)).rejects.toThrow('down');
    expect([writes(), uploads.calls.includes('read')]).toEqual([1, false]);
  });

  it('is as another has written it, if that is completed too', async () => {
    const others: UploadState = { status: 'completed', location: 'https://outlook.office.com/b', attachmentId: 'b' };
    const { progress, id, record } = await begin();
    conflictBeforeWrites(id, 1, { state: others });

    await progress.complete(LOCATION);

    expect([record().state, progress.record.state, writes()]).toEqual([others, others, 1]);
  });

  it('is written over a cancellation: what is attached is attached', async () => {
    const { progress, id, record } = await begin();
    conflictBeforeWrites(id, 1, { state: { status: 'cancelled' } });

    await progress.complete(LOCATION);

    expect(record().state).toEqual(COMPLETED);
  });

  it('fails where the record is gone', async () => {
    const { progress, id } = await begin();
    conflictBeforeWrites(id, 1);
    uploads.read = async () => undefined;

    await expect(progress.complete(LOCATION)).rejects.toMatchObject({ code: 'UploadNotFound', status: 404 });
  });
});

describe('a cancellation', () => {
  it('is written, and is a conflict for whoever goes on', async () => {
    const { progress, stored, record } = await begin();

    await progress.cancel();

    expect(record().state).toEqual({ status: 'cancelled' });
    await expect(transferOf(stored).announce(60)).rejects.toBeInstanceOf(RecordConflict);
  });

  it.each([COMPLETED, { status: 'cancelled' }, { status: 'failed', error: FAILURE }] as const)(
    'changes nothing of an upload that is $status',
    async (state) => {
      const { progress, record } = await begin({ state });

      await progress.cancel();

      expect([record().state, writes()]).toEqual([state, 0]);
    },
  );

  it('leaves an upload that another has completed meanwhile', async () => {
    const { progress, id, record } = await begin();
    conflictBeforeWrites(id, 1, { state: COMPLETED });

    await progress.cancel();

    expect([record().state, progress.record.state]).toEqual([COMPLETED, COMPLETED]);
  });

  it('is given up where the conflicts never stop', async () => {
    const { progress, id } = await begin();
    conflictBeforeWrites(id, Number.POSITIVE_INFINITY);

    await expect(progress.cancel()).rejects.toBeInstanceOf(RecordConflict);
    expect(writes()).toBe(TRIES);
  });
});

describe('a lease', () => {
  it('goes with each write', async () => {
    const { progress, record } = await beginLeased();

    await progress.announce(60);
    await progress.announce(120);

    expect(record().uncertainOffsets).toEqual([60, 120]);
  });

  it('that is still held after the record was read again goes with the next write', async () => {
    const { progress, id, record } = await beginLeased();
    uploads.change(id, { offset: 60 });

    await progress.refresh();
    await progress.announce(120);

    expect(record()).toMatchObject({ offset: 60, uncertainOffsets: [120] });
  });

  it('that was lost keeps even what Graph said from being written', async () => {
    const { progress, id, record } = await beginLeased();
    await uploads.breakLease(id);

    await expect(progress.confirm(120, [], true)).rejects.toBeInstanceOf(RecordConflict);

    expect([record().offset, writes()]).toEqual([0, 1]);
  });

  it('that was lost does not go with the next write once the record was read again', async () => {
    const { progress, id, record } = await beginLeased();
    await uploads.breakLease(id);
    await expect(progress.announce(60)).rejects.toBeInstanceOf(RecordConflict);

    await progress.refresh();
    await progress.announce(60);

    expect(record().uncertainOffsets).toEqual([60]);
  });

  it('that another has taken keeps the record from being written', async () => {
    const { progress, id, record } = await beginLeased();
    await uploads.breakLease(id);
    await leaseOf(id);

    await progress.refresh();

    await expect(progress.announce(60)).rejects.toBeInstanceOf(RecordConflict);
    expect(record().uncertainOffsets).toEqual([]);
  });

  it('that ran out is lost', async () => {
    const { progress } = await beginLeased();

    jest.setSystemTime(NOW + UPLOAD_LEASE_SECONDS * 1000);

    await expect(progress.announce(60)).rejects.toBeInstanceOf(RecordConflict);
  });

  it('of another keeps the end of an upload from being written, until it is gone', async () => {
    const { progress, id, record } = await begin();
    const lease = await leaseOf(id);
    await expect(progress.complete(LOCATION)).rejects.toBeInstanceOf(RecordConflict);

    await uploads.releaseLease(lease);
    await progress.complete(LOCATION);

    expect(record().state).toEqual(COMPLETED);
  });
});

describe('work that one sender does alone', () => {
  it('has the record as it is, and writes it while no other can', async () => {
    const { progress, id, stored, record } = await begin();
    uploads.change(id, { sessionsOpened: 2 });

    const given = await progress.withLease(signal, async () => {
      expect(progress.record.sessionsOpened).toBe(2);
      await expect(transferOf(stored).announce(60)).rejects.toBeInstanceOf(RecordConflict);
      await progress.announce(SIZE);
      return 'given';
    });

    expect([given, record().uncertainOffsets]).toEqual(['given', [SIZE]]);
  });

  it('gives back the lease, and writes without it afterwards', async () => {
    const { progress, id, record } = await begin();

    await progress.withLease(signal, async () => {});
    await progress.announce(60);

    expect([uploads.isLeased(id), record().uncertainOffsets]).toEqual([false, [60]]);
  });

  it('gives back the lease where it fails', async () => {
    const { progress, id } = await begin();

    await expect(progress.withLease(signal, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(uploads.isLeased(id)).toBe(false);
  });

  it('gives back the lease where the record cannot be read', async () => {
    const { progress, id } = await begin();
    uploads.failures.set('read', new Error('down'));

    await expect(progress.withLease(signal, async () => {})).rejects.toThrow('down');
    expect(uploads.isLeased(id)).toBe(false);
  });

  it('holds the lease however long it takes', async () => {
    const { progress, id } = await begin();
    const { promise, resolve } = Promise.withResolvers<void>();
    const working = progress.withLease(signal, () => promise);
    await jest.advanceTimersByTimeAsync(0);

    for (let ms = 0; ms < 4 * UPLOAD_LEASE_SECONDS * 1000; ms += UPLOAD_LEASE_RENEW_MS) {
      expect(uploads.isLeased(id)).toBe(true);
      await jest.advanceTimersByTimeAsync(UPLOAD_LEASE_RENEW_MS);
    }

    resolve();
    await working;
  });

  it('waits for the one who holds the lease, and then begins within a poll', async () => {
    const { progress, id } = await begin();
    const lease = await leaseOf(id);
    const work = jest.fn(async () => {});
    const working = progress.withLease(signal, work);
    await jest.advanceTimersByTimeAsync(4 * UPLOAD_LEASE_POLL_MS);
    expect(work).not.toHaveBeenCalled();

    await uploads.releaseLease(lease);
    await jest.advanceTimersByTimeAsync(UPLOAD_LEASE_POLL_MS);

    await working;
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('begins when the lease of one who died has run out', async () => {
    const { progress, id } = await begin();
    await leaseOf(id);
    const work = jest.fn(async () => {});
    const working = progress.withLease(signal, work);

    await jest.advanceTimersByTimeAsync(UPLOAD_LEASE_SECONDS * 1000 - 1);
    expect(work).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(UPLOAD_LEASE_POLL_MS);

    await working;
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('is not begun once the request has no more time', async () => {
    const { progress, id } = await begin();
    const lease = await leaseOf(id);
    const controller = new AbortController();
    const work = jest.fn(async () => {});
    const working = progress.withLease(controller.signal, work);
    await jest.advanceTimersByTimeAsync(1);

    controller.abort('late');

    await expect(working).rejects.toBe('late');
    await uploads.releaseLease(lease);
    await jest.advanceTimersByTimeAsync(2 * UPLOAD_LEASE_POLL_MS);
    expect([work.mock.calls, uploads.isLeased(id)]).toEqual([[], false]);
  });

  it.each([COMPLETED, { status: 'cancelled' }, { status: 'failed', error: FAILURE }] as const)(
    'is not begun where the upload is $status meanwhile',
    async (state) => {
      const { progress, id } = await begin();
      uploads.change(id, { state });
      const work = jest.fn(async () => {});

      await expect(progress.withLease(signal, work)).rejects.toBeInstanceOf(RecordConflict);
      expect([work.mock.calls, progress.record.state, uploads.isLeased(id)]).toEqual([[], state, false]);
    },
  );
});

describe('the record that is read again', () => {
  it('is 404 where it is gone', async () => {
    const { progress } = await begin();
    uploads.read = async () => undefined;

    await expect(progress.refresh()).rejects.toMatchObject({ code: 'UploadNotFound', status: 404 });
  });
});

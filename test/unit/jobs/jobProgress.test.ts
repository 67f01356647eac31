import type { AttachmentsApi } from '../../../shared/graph/attachmentsApi.ts';
import { JobProgress } from '../../../shared/jobs/jobProgress.ts';
import type { JobFile, JobRecord } from '../../../shared/jobs/jobRecord.ts';
import { RecordConflict } from '../../../shared/storage/recordStore.ts';
import { createMemoryRecords } from '../../support/memoryRecords.ts';
import { jobRecordOf } from '../../support/uploadRecords.ts';

const NOW = Date.parse('2026-11-29T10:00:00Z');
const LOCATION = "https://outlook.office.com/Attachments('AAMk%3D')";
const records = createMemoryRecords<JobRecord>();

beforeEach(() => jest.useFakeTimers({ now: NOW }));
afterEach(() => jest.useRealTimers());

const item: AttachmentsApi = {
  mailbox: 'adele@contoso.example',
  locationOf: (id) => id,
  openSession: () => Promise.reject(new Error('not here')),
  addAttachment: () => Promise.reject(new Error('not here')),
  listAttachments: async () => [],
  readAttachment: () => Promise.reject(new Error('not here')),
  readContent: () => Promise.reject(new Error('not here')),
};

async function begin(changes: Partial<JobRecord> = {}, file: Partial<JobFile> = {}) {
  const stored = await records.create(jobRecordOf({ attempts: 3, wakeUps: 2, ...changes }, file));
  return { id: stored.id, progress: new JobProgress(records, item, stored), record: () => records.recordOf(stored.id) };
}

describe('the progress of a job', () => {
  it('has all its attempts again once Graph has taken bytes', async () => {
    const { progress, record } = await begin({ movedAt: '2026-11-29T09:00:00.000Z' });

    await progress.confirm(120, [], true);

    expect(record()).toMatchObject({
      files: [{ offset: 120, furthestOffset: 120 }],
      attempts: 0,
      wakeUps: 0,
      movedAt: '2026-11-29T10:00:00.000Z',
    });
  });

  it('never decreases for pollers', async () => {
    const { progress, record } = await begin({}, { furthestOffset: 100 });

    await progress.confirm(60, [], true);

    expect(record()).toMatchObject({ files: [{ offset: 60, furthestOffset: 100 }] });
  });

  it('keeps its attempts when a new session starts the file again', async () => {
    const { progress, record } = await begin({}, { offset: 60, uncertainOffsets: [120] });

    await progress.refused();

    expect(record()).toMatchObject({ attempts: 3, files: [{ offset: 60, uncertainOffsets: [] }] });
  });

  it('writes the outcome of a run with its time, and nothing else', async () => {
    const { progress, record } = await begin({}, { offset: 60 });

    await progress.advance({ attempts: 4 });

    expect(record()).toMatchObject({ attempts: 4, wakeUps: 2, movedAt: '2026-11-29T10:00:00.000Z' });
    expect(record().files[0]?.offset).toBe(60);
  });

  it('completes the job with its last file, also after it was cancelled', async () => {
    const { progress, id, record } = await begin();
    records.change(id, { state: { status: 'cancelled' } });

    await progress.attached(LOCATION);

    expect(record()).toMatchObject({
      state: { status: 'completed' },
      files: [{ attached: { attachmentId: 'AAMk=' } }],
    });
  });
});

describe('the cancellation of a job', () => {
  it('breaks the lease before each try, with the record as it is then', async () => {
    const { progress, id } = await begin();
    records.change(id, { attempts: 7 });
    const attempts: number[] = [];

    await progress.cancel(async ({ record }) => {
      attempts.push(record.attempts);
    });

    expect(attempts).toEqual([3, 7]);
    expect(records.recordOf(id).state).toEqual({ status: 'cancelled' });
  });

  it('does not write if the lease must not be broken', async () => {
    const { progress, record } = await begin();

    await expect(progress.cancel(() => Promise.reject(new Error('busy')))).rejects.toThrow('busy');
    expect(record().state.status).toBe('running');
  });

  it.each(['completed', 'cancelled'] as const)('changes nothing of a job that is %s', async (status) => {
    const { progress, record } = await begin({ state: { status } });

    await progress.cancel(() => Promise.reject(new Error('not here')));

    expect(record().state).toEqual({ status });
  });

  it('does not write over what another has written', async () => {
    const { progress, id } = await begin();
    records.change(id, { attempts: 7 });

    await expect(progress.advance({ attempts: 1 })).rejects.toBeInstanceOf(RecordConflict);
  });
});

import { JOB_LEASE_SECONDS, JOB_STALLED_MS } from '../../../shared/common/limits.ts';
import { ServiceError } from '../../../shared/errors.ts';
import type { GraphHttp } from '../../../shared/graph/graphHttp.ts';
import { getJob } from '../../../shared/jobs/getJob.ts';
import type { JobFile, JobRecord } from '../../../shared/jobs/jobRecord.ts';
import { LogEntry } from '../../../shared/logging/logEntry.ts';
import type { UploadRecord } from '../../../shared/uploads/uploadRecord.ts';
import { INFO, incomingRequest, openDeadline, upstreamAnswer } from '../../support/builders.ts';
import { createMemoryRecords } from '../../support/memoryRecords.ts';
import { instanceOf, modelOfGraph } from '../../support/transferModel.ts';
import { jobRecordOf } from '../../support/uploadRecords.ts';

const NOW = Date.parse('2026-11-29T10:00:00Z');

const records = createMemoryRecords<JobRecord>();
let sent: { id: string; delayMs: number }[];
let queueFailure: Error | undefined;
let graphHttp: GraphHttp;

beforeEach(() => {
  jest.useFakeTimers({ now: NOW, doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  records.failures.clear();
  sent = [];
  queueFailure = undefined;
  graphHttp = { send: async () => upstreamAnswer(404, '{}') };
});
afterEach(() => {
  const timersLeft = jest.getTimerCount();
  jest.useRealTimers();
  expect(timersLeft).toBe(0);
});

/** A moment from now, as records have it. */
function at(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}

async function begin(changes: Partial<JobRecord> = {}, file: Partial<JobFile> = {}): Promise<string> {
  const attachment = { name: 'report.pdf', sizeBytes: 200 };
  const { id } = await records.create(jobRecordOf(changes, { attachment, session: undefined, ...file }));
  return id;
}

async function show(id: string) {
  const context = {
    request: incomingRequest({ method: 'GET', url: `https://proxy.example/api/jobs/${id}` }),
    info: INFO,
    deadline: openDeadline(),
    logEntry: new LogEntry('getJob'),
  };
  const { status, headers, body } = await getJob(context, id, {
    ...instanceOf(createMemoryRecords<UploadRecord>(), modelOfGraph(200)).dependencies,
    graphHttp: async () => graphHttp,
    jobs: {
      store: records,
      queue: {
        timeoutMs: 3_600_000,
        idIn: () => undefined,
        check: async () => {},
        async send(to, delayMs) {
          if (queueFailure !== undefined) throw queueFailure;
          sent.push({ id: to, delayMs });
        },
      },
    },
  });
  return { status, headers, body: JSON.parse(body) };
}

describe('a job that continues', () => {
  it('is 202 with its address and how far it is', async () => {
    const id = await begin({}, { offset: 50, furthestOffset: 100 });

    expect(await show(id)).toEqual({
      status: 202,
      headers: { location: `https://proxy.example/api/jobs/${id}`, 'retry-after': '5' },
      body: { status: 'uploading', percentComplete: 50, nextExpectedRanges: ['100-199'] },
    });
    expect(sent).toEqual([]);
  });

  it.each([
    [1_000, '5'],
    [5_001, '6'],
    [30_000, '30'],
    [60_000, '60'],
    [3_600_000, '60'],
  ])('is to be asked for again no sooner than its wait is over, within a minute: %d ms', async (ms, seconds) => {
    const id = await begin({ notBefore: at(ms) });

    expect((await show(id)).headers['retry-after']).toBe(seconds);
  });
});

describe('a job that stands still', () => {
  it.each([
    [0, 1],
    [1, 2],
    [3, 8],
  ])('gets a new message after 15 s, and the next one after twice the time: %d so far', async (wakeUps, times) => {
    const id = await begin({ wakeUps });

    jest.setSystemTime(NOW + JOB_STALLED_MS * times - 1);
    await show(id);
    expect(sent).toEqual([]);
    jest.setSystemTime(NOW + JOB_STALLED_MS * times);

    expect((await show(id)).status).toBe(202);
    expect(sent).toEqual([{ id, delayMs: 0 }]);
    expect(records.recordOf(id)).toMatchObject({ wakeUps: wakeUps + 1, movedAt: at(0) });
  });

  it('is one whose wait is over for that long', async () => {
    const id = await begin({ notBefore: at(60_000) });

    jest.setSystemTime(NOW + 60_000 + JOB_STALLED_MS - 1);
    await show(id);
    expect(sent).toEqual([]);
    jest.setSystemTime(NOW + 60_000 + JOB_STALLED_MS);
    await show(id);

    expect(sent).toHaveLength(1);
  });

  it('is not a job that a worker has', async () => {
    const id = await begin();
    jest.setSystemTime(NOW + 2 * JOB_STALLED_MS);
    await records.acquireLease(id, JOB_LEASE_SECONDS);

    expect((await show(id)).status).toBe(202);
    expect(sent).toEqual([]);
  });

  it('is left to another poller that was faster', async () => {
    const id = await begin();
    jest.setSystemTime(NOW + JOB_STALLED_MS);
    const { write } = records;
    records.write = async (...about) => {
      records.change(id, {});
      return write(...about);
    };

    const answer = await show(id);
    records.write = write;

    expect([answer.status, sent]).toEqual([202, []]);
  });

  it('is 503 where the queue cannot be reached', async () => {
    const id = await begin();
    jest.setSystemTime(NOW + JOB_STALLED_MS);
    queueFailure = new ServiceError('StorageUnavailable', 'Down.');

    await expect(show(id)).rejects.toMatchObject({ code: 'StorageUnavailable' });
  });
});

describe('a job that no worker has ended in time', () => {
  const lastReason = { code: 'ApplicationThrottled', message: 'Too many requests.' };

  it('has failed, with the last reason, also while Graph has asked to wait for longer', async () => {
    const id = await begin({ endsAt: at(-JOB_STALLED_MS - 1), notBefore: at(86_400_000), lastReason });

    const { status, body } = await show(id);

    expect([status, body.error.code]).toEqual([424, 'JobFailed']);
    expect(body.error.message).toBe(
      'The timeout of the job has passed. The last reason: ApplicationThrottled: Too many requests.',
    );
    expect([records.recordOf(id).state.status, records.isLeased(id)]).toEqual(['failed', false]);
  });

  it('is left to its workers for 15 s', async () => {
    const id = await begin({ endsAt: at(-JOB_STALLED_MS), movedAt: at(-1), notBefore: at(-1) });

    expect((await show(id)).status).toBe(202);
    expect(records.recordOf(id).state.status).toBe('running');
  });

  it('is 202 while a worker has just taken its lease', async () => {
    const id = await begin({ endsAt: at(-JOB_STALLED_MS - 1) });
    const { acquireLease } = records;
    records.acquireLease = async () => undefined;

    const answer = await show(id);
    records.acquireLease = acquireLease;

    expect([answer.status, records.recordOf(id).state.status]).toEqual([202, 'running']);
  });

  it('is cancelled where it was cancelled meanwhile', async () => {
    const id = await begin({ endsAt: at(-JOB_STALLED_MS - 1) }, { uncertainOffsets: [200] });
    graphHttp = {
      async send() {
        await records.breakLease(id);
        records.change(id, { state: { status: 'cancelled' } });
        return upstreamAnswer(200, '{"value": []}');
      },
    };

    await expect(show(id)).rejects.toMatchObject({ code: 'UploadCancelled' });
    expect(records.recordOf(id).state).toEqual({ status: 'cancelled' });
  });

  it('gives back its lease where it cannot be ended', async () => {
    const id = await begin({ endsAt: at(-JOB_STALLED_MS - 1) });
    records.failures.set('write', new ServiceError('StorageUnavailable', 'Down.'));

    await expect(show(id)).rejects.toMatchObject({ code: 'StorageUnavailable' });
    expect(records.isLeased(id)).toBe(false);
  });
});

describe('a job that is over', () => {
  it('is 201 with the attachment', async () => {
    const attached = { attachmentId: 'AAMk=', location: 'https://outlook.office.com/a' };
    const id = await begin({ state: { status: 'completed' } }, { attached });
    const shown = { id: 'AAMk=', name: 'report.pdf', size: 200 };
    graphHttp = { send: async () => upstreamAnswer(200, JSON.stringify(shown)) };

    expect(await show(id)).toMatchObject({ status: 201, body: { id: 'AAMk=', name: 'report.pdf' } });
  });

  it('is the error that ended it', async () => {
    const error = { status: 413, code: 'ErrorMessageSizeExceeded', message: 'Too large.' };
    const id = await begin({ state: { status: 'failed', error } });

    expect(await show(id)).toMatchObject({
      status: 413,
      body: { error: { code: error.code, message: error.message } },
    });
  });

  it('is 410 where it was cancelled', async () => {
    const id = await begin({ state: { status: 'cancelled' } });

    await expect(show(id)).rejects.toMatchObject({ code: 'UploadCancelled', status: 410 });
  });
});

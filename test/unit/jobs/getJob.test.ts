import { JOB_LEASE_SECONDS, JOB_STALLED_MS } from '../../../shared/common/limits.ts';
import { ServiceError } from '../../../shared/errors.ts';
import type { GraphHttp } from '../../../shared/graph/graphHttp.ts';
import { getJob } from '../../../shared/jobs/getJob.ts';
import { isJob } from '../../../shared/jobs/storedJob.ts';
import { LogEntry } from '../../../shared/logging/logEntry.ts';
import type { JobPart, UploadRecord } from '../../../shared/uploads/uploadRecord.ts';
import { INFO, incomingRequest, openDeadline, upstreamAnswer } from '../../support/builders.ts';
import { createMemoryUploads } from '../../support/memoryUploads.ts';
import { instanceOf, modelOfGraph } from '../../support/transferModel.ts';
import { jobPartOf, uploadRecordOf } from '../../support/uploadRecords.ts';

const NOW = Date.parse('2026-11-29T10:00:00Z');

const uploads = createMemoryUploads();
let sent: { id: string; delayMs: number }[];
let queueFailure: Error | undefined;
let graphHttp: GraphHttp;

beforeEach(() => {
  jest.useFakeTimers({ now: NOW, doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  uploads.failures.clear();
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

async function begin(job: Partial<JobPart> = {}, changes: Partial<UploadRecord> = {}): Promise<string> {
  const attachment = { name: 'report.pdf', sizeBytes: 200 };
  const { id } = await uploads.create(
    uploadRecordOf({ attachment, session: undefined, job: jobPartOf(job), ...changes }),
  );
  return id;
}

async function show(id: string) {
  const stored = await uploads.read(id);
  if (stored === undefined || !isJob(stored)) throw new Error('There is no such job.');
  const exchange = {
    request: incomingRequest({ method: 'GET', url: `https://proxy.example/api/uploadSessions/${id}` }),
    info: INFO,
    deadline: openDeadline(),
    logEntry: new LogEntry('getUpload'),
  };
  const { status, headers, body } = await getJob(exchange, stored, {
    ...instanceOf(uploads, modelOfGraph(200)).dependencies,
    uploads,
    graphHttp: async () => graphHttp,
    jobs: {
      timeoutMs: 3_600_000,
      idIn: () => undefined,
      check: async () => {},
      async send(to, delayMs) {
        if (queueFailure !== undefined) throw queueFailure;
        sent.push({ id: to, delayMs });
      },
    },
  });
  return { status, headers, body: JSON.parse(body) };
}

function jobOf(id: string): JobPart | undefined {
  return uploads.recordOf(id).job;
}

describe('a job that goes on', () => {
  it('is 202 with its address and how far it is', async () => {
    const id = await begin({ furthestOffset: 100 }, { offset: 50 });

    expect(await show(id)).toEqual({
      status: 202,
      headers: { location: `https://proxy.example/api/uploadSessions/${id}`, 'retry-after': '5' },
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
    expect(jobOf(id)).toMatchObject({ wakeUps: wakeUps + 1, movedAt: at(0) });
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

  it('is none that a worker holds', async () => {
    const id = await begin();
    jest.setSystemTime(NOW + 2 * JOB_STALLED_MS);
    await uploads.acquireLease(id, JOB_LEASE_SECONDS);

    expect((await show(id)).status).toBe(202);
    expect(sent).toEqual([]);
  });

  it('is left to another poller that was faster', async () => {
    const id = await begin();
    jest.setSystemTime(NOW + JOB_STALLED_MS);
    const { write } = uploads;
    uploads.write = async (...about) => {
      uploads.change(id, {});
      return write(...about);
    };

    const answer = await show(id);
    uploads.write = write;

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
      'The time for the job has passed. The last reason: ApplicationThrottled: Too many requests.',
    );
    expect([uploads.recordOf(id).state.status, uploads.isLeased(id)]).toEqual(['failed', false]);
  });

  it('is left to its workers for 15 s', async () => {
    const id = await begin({ endsAt: at(-JOB_STALLED_MS), movedAt: at(-1), notBefore: at(-1) });

    expect((await show(id)).status).toBe(202);
    expect(uploads.recordOf(id).state.status).toBe('uploading');
  });

  it('is 202 while a worker has just taken its lease', async () => {
    const id = await begin({ endsAt: at(-JOB_STALLED_MS - 1) });
    const { acquireLease } = uploads;
    uploads.acquireLease = async () => undefined;

    const answer = await show(id);
    uploads.acquireLease = acquireLease;

    expect([answer.status, uploads.recordOf(id).state.status]).toEqual([202, 'uploading']);
  });

  it('is cancelled where it was cancelled meanwhile', async () => {
    const id = await begin({ endsAt: at(-JOB_STALLED_MS - 1) }, { uncertainOffsets: [200] });
    graphHttp = {
      async send() {
        await uploads.breakLease(id);
        uploads.change(id, { state: { status: 'cancelled' } });
        return upstreamAnswer(200, '{"value": []}');
      },
    };

    await expect(show(id)).rejects.toMatchObject({ code: 'UploadCancelled' });
    expect(uploads.recordOf(id).state).toEqual({ status: 'cancelled' });
  });

  it('gives back its lease where it cannot be ended', async () => {
    const id = await begin({ endsAt: at(-JOB_STALLED_MS - 1) });
    uploads.failures.set('write', new ServiceError('StorageUnavailable', 'Down.'));

    await expect(show(id)).rejects.toMatchObject({ code: 'StorageUnavailable' });
    expect(uploads.isLeased(id)).toBe(false);
  });
});

describe('a job that is over', () => {
  it('is 201 with the attachment', async () => {
    const state = { status: 'completed', attachmentId: 'AAMk=', location: 'https://outlook.office.com/a' } as const;
    const id = await begin({}, { state });
    const shown = { id: 'AAMk=', name: 'report.pdf', size: 200 };
    graphHttp = { send: async () => upstreamAnswer(200, JSON.stringify(shown)) };

    expect(await show(id)).toMatchObject({ status: 201, body: { id: 'AAMk=', name: 'report.pdf' } });
  });

  it('is the error that ended it', async () => {
    const error = { status: 413, code: 'ErrorMessageSizeExceeded', message: 'Too large.' };
    const id = await begin({}, { state: { status: 'failed', error } });

    expect(await show(id)).toMatchObject({
      status: 413,
      body: { error: { code: error.code, message: error.message } },
    });
  });

  it('is 410 where it was cancelled', async () => {
    const id = await begin({}, { state: { status: 'cancelled' } });

    await expect(show(id)).rejects.toMatchObject({ code: 'UploadCancelled', status: 410 });
  });
});

import { randomBytes } from 'node:crypto';
import { abortable } from '../../../shared/common/deadline.ts';
import {
  JOB_LEASE_RENEW_MS,
  JOB_LEASE_SECONDS,
  JOB_RUN_MS,
  JOB_STORAGE_RETRY_MS,
  MAX_JOB_ATTEMPTS,
} from '../../../shared/common/limits.ts';
import type { Dependencies } from '../../../shared/dependencies.ts';
import { ServiceError } from '../../../shared/errors.ts';
import type { GraphHttp } from '../../../shared/graph/graphHttp.ts';
import type { JobFile, JobRecord } from '../../../shared/jobs/jobRecord.ts';
import { type JobMessageKind, runJob } from '../../../shared/jobs/runJob.ts';
import { hashUploadId } from '../../../shared/logging/mask.ts';
import { createMemorySource } from '../../../shared/sources/memorySource.ts';
import type { openUrl } from '../../../shared/sources/urlSource.ts';
import type { UploadRecord } from '../../../shared/uploads/uploadRecord.ts';
import { invocation, settled, upstreamAnswer } from '../../support/builders.ts';
import { createMemoryRecords, type MemoryRecords } from '../../support/memoryRecords.ts';
import { instanceOf, type ModelOfGraph, modelOfGraph } from '../../support/transferModel.ts';
import { jobRecordOf } from '../../support/uploadRecords.ts';

const FILE = randomBytes(240);
const MINUTE_MS = 60_000;
const NOW = Date.parse('2026-11-29T10:00:00Z');
/** What a run does, as far as its surroundings see it. */
interface Bench {
  readonly id: string;
  readonly records: MemoryRecords<JobRecord>;
  readonly graph: ModelOfGraph;
  /** What the queue was sent. */
  readonly sent: { readonly id: string; readonly delayMs: number }[];
  /** Called when the job's source is opened. */
  open: typeof openUrl;
  /** Says that the queue cannot be reached. */
  queueFailure: Error | undefined;
  graphHttp: () => Promise<GraphHttp>;
  readonly closing: AbortController;
  record(): JobRecord;
  file(): JobFile;
  changeFile(changes: Partial<JobFile>): void;
  /** Runs the message, and gives the run's line. */
  run(kind?: JobMessageKind, message?: unknown): Promise<Readonly<Record<string, unknown>>>;
}

const opened: typeof openUrl = async (_url, _rule, { resumeAt }) => ({
  ...createMemorySource([FILE.subarray(resumeAt?.offset ?? 0)]),
  totalBytes: FILE.length,
  etag: '"1"',
  contentType: undefined,
  close: () => {},
});

/** A source that nothing comes from until the run's signal aborts. */
const silent: typeof openUrl = (_url, _rule, _options, signal) => abortable(new Promise(() => {}), signal);

/** A source that answers each time with 503 and this Retry-After. */
function busySource(retryAfter: string | undefined): typeof openUrl {
  return async (_url, _rule, { times }) => {
    const delayMs = times?.retryDelay(retryAfter, 1, Date.now(), 0) ?? 0;
    throw new ServiceError('SourceUnavailable', `It asks to wait ${delayMs}.`);
  };
}

async function benchOf(changes: Partial<JobRecord> = {}, file: Partial<JobFile> = {}): Promise<Bench> {
  const records = createMemoryRecords<JobRecord>();
  const graph = modelOfGraph(FILE.length);
  const uploadUrl = graph.open();
  const { id } = await records.create(
    jobRecordOf(changes, {
      attachment: { name: 'report.pdf', sizeBytes: FILE.length },
      session: { uploadUrl, expirationDateTime: '2026-11-29T12:00:00Z' },
      ...file,
    }),
  );
  records.calls.length = 0;
  const sent: Bench['sent'] = [];
  const closing = new AbortController();
  const bench: Bench = {
    id,
    records,
    graph,
    sent,
    open: opened,
    queueFailure: undefined,
    graphHttp: async () => graph.graphHttp,
    closing,
    record: () => records.recordOf(id),
    file() {
      const [only] = records.recordOf(id).files;
      if (only === undefined) throw new Error('It has no file.');
      return only;
    },
    changeFile(fileChanges) {
      records.change(id, { files: [{ ...bench.file(), ...fileChanges }] });
    },
    async run(kind = 'wakeUp', message = id) {
      const { context, lines } = invocation();
      const dependencies: Dependencies = {
        ...instanceOf(createMemoryRecords<UploadRecord>(), graph).dependencies,
        graphHttp: () => bench.graphHttp(),
        closing: closing.signal,
        jobs: {
          store: records,
          queue: {
            timeoutMs: 60 * MINUTE_MS,
            idIn: (text) => (typeof text === 'string' && text.startsWith('strange') ? undefined : String(text)),
            check: async () => {},
            async send(to, delayMs) {
              if (bench.queueFailure !== undefined) throw bench.queueFailure;
              sent.push({ id: to, delayMs });
            },
          },
        },
      };
      await runJob(message, kind, context, dependencies, (...about) => bench.open(...about));
      expect(lines).toHaveLength(1);
      return JSON.parse(lines[0]?.text ?? '');
    },
  };
  return bench;
}

/** A moment from now, as records have it. */
function at(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}

/** An answer of Graph's to whatever it is asked. */
function answering(status: number, code: string, headers: Record<string, string> = {}): GraphHttp {
  const body = JSON.stringify({ error: { code, message: 'What Graph says.' } });
  return { send: async () => upstreamAnswer(status, body, headers) };
}

beforeEach(() => {
  jest.useFakeTimers({ now: NOW, doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
});
afterEach(() => {
  const timersLeft = jest.getTimerCount();
  jest.useRealTimers();
  expect(timersLeft).toBe(0);
});

describe('a run of a job', () => {
  it('attaches the file, completes the record and sends no message', async () => {
    const bench = await benchOf();

    const line = await bench.run();

    expect(line).toMatchObject({
      event: 'job',
      code: 'Completed',
      upload: hashUploadId(bench.id),
      offset: FILE.length,
    });
    expect(bench.record()).toMatchObject({
      state: { status: 'completed' },
      files: [{ attached: { attachmentId: '1' } }],
    });
    expect(bench.graph.attached).toHaveLength(1);
    expect(bench.sent).toEqual([]);
    expect(bench.records.isLeased(bench.id)).toBe(false);
  });

  it('opens a session where there is none, for a file that is too large for one call', async () => {
    const bench = await benchOf({}, { session: undefined, sessionsOpened: 0 });
    bench.changeFile({ attachment: { name: 'report.pdf', sizeBytes: 3_000_000 } });
    bench.graphHttp = async () => answering(403, 'ErrorAccessDenied');

    await bench.run();

    expect(bench.record().state).toEqual({
      status: 'failed',
      error: { status: 403, code: 'ErrorAccessDenied', message: 'What Graph says.' },
    });
  });

  it('attaches a small file in one call', async () => {
    const bench = await benchOf({}, { session: undefined, sessionsOpened: 0 });
    const bodies: unknown[] = [];
    bench.graphHttp = async () => ({
      async send({ body }) {
        bodies.push(JSON.parse(body ?? ''));
        return upstreamAnswer(201, JSON.stringify({ id: 'AAMk=' }));
      },
    });

    expect(await bench.run()).toMatchObject({ code: 'Completed' });
    expect(bodies).toEqual([expect.objectContaining({ contentBytes: FILE.toString('base64') })]);
    expect(bench.file().attached).toMatchObject({ attachmentId: 'AAMk=' });
  });

  it.each([0, 100])('opens its source at the offset in the record: %d', async (offset) => {
    const bench = await benchOf({}, { offset });
    const seen: unknown[] = [];
    bench.open = async (url, rule, { resumeAt }) => {
      seen.push([url.href, rule, resumeAt]);
      throw new ServiceError('SourceUnavailable', 'Down.');
    };

    const line = await bench.run();

    const address = 'https://files.contoso.example/a.pdf?sig=Zq7-signature';
    expect(seen).toEqual([[address, bench.file().sourceRule, { offset, totalBytes: FILE.length, etag: '"1"' }]]);
    expect(line['offset']).toBe(offset);
  });

  it('counts as an attempt before it does anything', async () => {
    const bench = await benchOf({ attempts: 2, wakeUps: 3 });
    const seen: JobRecord[] = [];
    bench.open = async (...about) => {
      seen.push(bench.record());
      return opened(...about);
    };

    await bench.run();

    expect(seen).toEqual([expect.objectContaining({ attempts: 3, wakeUps: 0 })]);
  });

  it('writes one line, without the address of the source, the session or the id', async () => {
    const bench = await benchOf();
    const { uploadUrl } = bench.file().session ?? { uploadUrl: 'none' };

    const line = JSON.stringify(await bench.run());

    for (const secret of ['Zq7', uploadUrl, bench.id]) expect(line).not.toContain(secret);
  });
});

describe('a job of several files', () => {
  it('attaches one file in each run, in order, and is completed by the last', async () => {
    const bench = await benchOf();
    const first = bench.file();
    const uploadUrl = bench.graph.open();
    const second = {
      ...first,
      attachment: { ...first.attachment, name: 'second.pdf' },
      session: { uploadUrl, expirationDateTime: '2026-11-29T12:00:00Z' },
    };
    bench.records.change(bench.id, { files: [first, second] });

    expect(await bench.run()).toMatchObject({ code: 'Continued' });
    expect(bench.record()).toMatchObject({
      state: { status: 'running' },
      files: [{ attached: { attachmentId: '1' } }, { offset: 0 }],
    });
    expect(bench.sent).toEqual([{ id: bench.id, delayMs: 0 }]);
    expect(await bench.run()).toMatchObject({ code: 'Completed' });
    expect(bench.record()).toMatchObject({
      state: { status: 'completed' },
      files: [{ attached: {} }, { attached: {}, offset: FILE.length }],
    });
    expect(bench.graph.attached).toHaveLength(2);
  });
});

describe('a message', () => {
  it('that is not sealed with the key of the app touches nothing', async () => {
    const bench = await benchOf();

    expect(await bench.run('wakeUp', 'strange')).toMatchObject({ code: 'MessageRefused' });
    expect([bench.records.calls, bench.sent]).toEqual([[], []]);
  });

  it('of an unknown job does nothing', async () => {
    const bench = await benchOf();

    expect(await bench.run('wakeUp', 'unknown')).toMatchObject({ code: 'AlreadyFinished' });
    expect(bench.sent).toEqual([]);
  });

  it.each([
    { status: 'completed' },
    { status: 'cancelled' },
    { status: 'failed', error: { status: 424, code: 'JobFailed', message: 'Why.' } },
  ] as const)('of a job that is $status does nothing', async (state) => {
    const bench = await benchOf({ state });

    expect(await bench.run()).toMatchObject({ code: 'AlreadyFinished' });
    expect([bench.sent, bench.record().state, bench.records.calls]).toEqual([
      [],
      state,
      ['acquireLease', 'read', 'releaseLease'],
    ]);
  });

  it('comes back after the time of the lease, if another holds the job', async () => {
    const bench = await benchOf();
    await bench.records.acquireLease(bench.id, JOB_LEASE_SECONDS);

    expect(await bench.run()).toMatchObject({ code: 'HeldElsewhere' });
    expect(bench.sent).toEqual([{ id: bench.id, delayMs: JOB_LEASE_SECONDS * 1000 }]);
    expect(bench.records.isLeased(bench.id)).toBe(true);
  });

  it('does not come back, if the job that another holds is over', async () => {
    const bench = await benchOf({ state: { status: 'cancelled' } });
    await bench.records.acquireLease(bench.id, JOB_LEASE_SECONDS);

    expect(await bench.run()).toMatchObject({ code: 'AlreadyFinished' });
    expect(bench.sent).toEqual([]);
  });

  it('that came before its time comes back at that time, and begins no run', async () => {
    const bench = await benchOf({ notBefore: at(30_000), attempts: 1 });
    jest.setSystemTime(NOW + 10_000);
    const before = bench.record();

    expect(await bench.run()).toMatchObject({ code: 'TooEarly', delayMs: 20_000 });
    expect(bench.sent).toEqual([{ id: bench.id, delayMs: 20_000 }]);
    expect([bench.record(), bench.graph.attached]).toEqual([before, []]);
  });

  it.each([0, 1])('begins a run %d ms after the time of the wait', async (afterMs) => {
    const bench = await benchOf({ notBefore: at(30_000) });
    jest.setSystemTime(NOW + 30_000 + afterMs);

    expect(await bench.run()).toMatchObject({ code: 'Completed' });
  });

  it('that came before its time comes back no later than at the end of the job', async () => {
    const bench = await benchOf({ notBefore: at(3 * 86_400_000), endsAt: at(MINUTE_MS) });

    expect(await bench.run()).toMatchObject({ code: 'TooEarly', delayMs: MINUTE_MS });
  });
});

describe('the end of a job', () => {
  const lastReason = { code: 'ApplicationThrottled', message: 'Too many requests.' };

  it.each([0, 1])('comes %d ms after its time, with the last reason', async (afterMs) => {
    const bench = await benchOf({ endsAt: at(-afterMs), lastReason });

    expect(await bench.run()).toMatchObject({ code: 'Failed', reason: 'JobFailed' });
    expect(bench.record().state).toMatchObject({
      status: 'failed',
      error: {
        status: 424,
        code: 'JobFailed',
        message: 'The timeout of the job has passed. The last reason: ApplicationThrottled: Too many requests.',
      },
    });
    expect([bench.sent, bench.graph.attached]).toEqual([[], []]);
  });

  it('comes at its time also where Graph asked to wait for longer', async () => {
    const bench = await benchOf({ endsAt: at(-1), notBefore: at(86_400_000), lastReason });

    expect(await bench.run()).toMatchObject({ code: 'Failed' });
    expect(bench.record().state).toMatchObject({ status: 'failed', error: { code: 'JobFailed' } });
  });

  it('does not come a millisecond before its time', async () => {
    const bench = await benchOf({ endsAt: at(1) });

    expect(await bench.run()).toMatchObject({ code: 'Completed' });
  });

  it('comes after the last of its attempts in a row', async () => {
    const last = await benchOf({ attempts: MAX_JOB_ATTEMPTS - 1 });
    const over = await benchOf({ attempts: MAX_JOB_ATTEMPTS, lastReason });

    expect(await last.run()).toMatchObject({ code: 'Completed' });
    expect(await over.run()).toMatchObject({ code: 'Failed', reason: 'JobFailed' });
    expect(over.record().state).toMatchObject({
      status: 'failed',
      error: { message: expect.stringMatching(/^10 attempts in a row came to nothing\. The last reason: /) },
    });
  });

  it('comes with what the source or Graph refuses for good', async () => {
    const bench = await benchOf();
    bench.open = () => Promise.reject(new ServiceError('SourceRefused', 'The source answered 404.'));

    expect(await bench.run()).toMatchObject({ code: 'Failed', reason: 'SourceRefused' });
    expect(bench.record().state).toMatchObject({
      status: 'failed',
      error: { status: 424, code: 'SourceRefused', message: 'The source answered 404.' },
    });
    expect(bench.sent).toEqual([]);
  });
});

describe('a wait that is asked for', () => {
  const DAY = 86_400;

  /** The value, the wait that follows in seconds, and the attempts that count after it. */
  const WAITS = [
    ['30', 30, 0],
    ['59', 59, 0],
    ['172800', 3600, 0],
    [String(300 * DAY), 3600, 0],
    ['0', 2, 0],
    ['1', 2, 0],
    // No server means these.
    ['99999999999999', 2, 1],
    ['9'.repeat(30), 2, 1],
    ['-1', 2, 1],
    ['soon', 2, 1],
    [undefined, 2, 1],
    [new Date(NOW + 30_000).toUTCString(), 30, 0],
    [new Date(NOW + 2 * DAY * 1000).toUTCString(), 3600, 0],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 2, 1],
    ['Sat, 13 Sep 275760 00:00:00 GMT', 2, 1],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 2, 1],
  ] as const;

  it.each(WAITS)(
    'by Graph with Retry-After: %s lasts %d s, and %d attempts count',
    async (retryAfter, seconds, count) => {
      const bench = await benchOf({}, { session: undefined, attachment: { name: 'report.pdf', sizeBytes: 3_000_000 } });
      const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
      bench.graphHttp = async () => answering(429, 'ApplicationThrottled', headers);

      const line = await bench.run();

      expect(line).toMatchObject({ code: 'Postponed', reason: 'ApplicationThrottled', delayMs: seconds * 1000 });
      expect(bench.sent).toEqual([{ id: bench.id, delayMs: seconds * 1000 }]);
      expect(bench.record()).toMatchObject({
        attempts: count,
        notBefore: at(seconds * 1000),
        lastReason: { code: 'ApplicationThrottled', message: 'What Graph says.' },
      });
    },
  );

  it.each(WAITS.filter(([retryAfter]) => retryAfter !== '0' && retryAfter !== '1'))(
    'by the source with Retry-After: %s lasts %d s, and %d attempts count',
    async (retryAfter, seconds, count) => {
      const bench = await benchOf();
      bench.open = busySource(retryAfter);

      expect(await bench.run()).toMatchObject({ code: 'Postponed', reason: 'SourceUnavailable' });
      expect(bench.sent).toEqual([{ id: bench.id, delayMs: seconds * 1000 }]);
      expect(bench.record()).toMatchObject({ attempts: count, notBefore: at(seconds * 1000) });
    },
  );

  it('by the source that fits a run is waited for within it', async () => {
    const bench = await benchOf();
    const waits: unknown[] = [];
    bench.open = async (url, rule, options, signal) => {
      for (const text of [undefined, '0', '3', '4']) waits.push(options.times?.retryDelay(text, 1, NOW, 0.4));
      return opened(url, rule, options, signal);
    };

    await bench.run();

    expect(waits).toEqual([200, 100, 3_100, Number.POSITIVE_INFINITY]);
  });

  it('is not what a source that fails again and again has asked for', async () => {
    const bench = await benchOf();
    bench.open = async (_url, _rule, { times }) => {
      times?.retryDelay(undefined, 4, NOW, 0.99); // Almost four seconds, by our own backing off.
      throw new ServiceError('SourceUnavailable', 'It failed again and again.');
    };

    await bench.run();

    expect([bench.sent, bench.record().attempts]).toEqual([[{ id: bench.id, delayMs: 2_000 }], 1]);
  });

  it('is no longer than what is left of the job, down to nothing', async () => {
    const bench = await benchOf({ endsAt: at(1_500) });
    bench.open = async () => {
      jest.setSystemTime(NOW + 2_000);
      throw new ServiceError('SourceUnavailable', 'Down.');
    };

    expect(await bench.run()).toMatchObject({ code: 'Postponed', delayMs: 0 });
    bench.open = opened;
    expect(await bench.run()).toMatchObject({ code: 'Failed', reason: 'JobFailed' });
  });
});

describe('the wait after a failed attempt', () => {
  it('doubles from 2 s to 60 s', async () => {
    const delays: unknown[] = [];
    for (let attempts = 0; attempts < MAX_JOB_ATTEMPTS; attempts += 1) {
      const bench = await benchOf({ attempts });
      bench.open = () => Promise.reject(new ServiceError('SourceUnavailable', 'Down.'));
      await bench.run();
      delays.push(bench.sent[0]?.delayMs);
    }

    expect(delays).toEqual([2, 4, 8, 16, 32, 60, 60, 60, 60, 60].map((seconds) => seconds * 1000));
  });

  it('follows a failure that nobody foresaw, of which the record and the queue say nothing', async () => {
    const bench = await benchOf();
    bench.open = () => Promise.reject(new TypeError('Zq7-internal'));

    expect(await bench.run()).toMatchObject({ code: 'Postponed', reason: 'InternalError' });
    expect(bench.record().lastReason?.code).toBe('InternalError');
    expect(JSON.stringify([bench.record(), bench.sent])).not.toContain('Zq7-internal');
  });
});

describe('a message that the host has given up', () => {
  it('is a failed attempt, and does no work', async () => {
    const bench = await benchOf({ attempts: 1 });

    expect(await bench.run('poison')).toMatchObject({ code: 'Postponed', reason: 'InternalError', isPoison: true });
    expect(bench.record()).toMatchObject({
      attempts: 2,
      notBefore: at(4_000),
      lastReason: { code: 'InternalError', message: 'The worker of the job broke off.' },
    });
    expect([bench.sent, bench.graph.attached]).toEqual([[{ id: bench.id, delayMs: 4_000 }], []]);
  });

  it('counts for nothing before its time', async () => {
    const bench = await benchOf({ notBefore: at(1) });

    expect(await bench.run('poison')).toMatchObject({ code: 'TooEarly' });
    expect(bench.record().attempts).toBe(0);
  });

  it('ends the job after the last attempt', async () => {
    const bench = await benchOf({ attempts: MAX_JOB_ATTEMPTS });

    expect(await bench.run('poison')).toMatchObject({ code: 'Failed', reason: 'JobFailed' });
  });
});

describe('a run under way', () => {
  it('hands on when its time is over', async () => {
    const bench = await benchOf();
    bench.open = silent;
    const running = bench.run();
    await jest.advanceTimersByTimeAsync(JOB_RUN_MS - 1);
    expect(bench.sent).toEqual([]);

    await jest.advanceTimersByTimeAsync(1);

    expect(await running).toMatchObject({ code: 'Continued' });
    expect(bench.sent).toEqual([{ id: bench.id, delayMs: 0 }]);
  });

  it('holds its lease for all that time', async () => {
    const bench = await benchOf();
    bench.open = silent;
    const running = bench.run();
    await jest.advanceTimersByTimeAsync(0);

    for (let ms = 0; ms < JOB_RUN_MS; ms += 1_000) {
      expect(bench.records.isLeased(bench.id)).toBe(true);
      await jest.advanceTimersByTimeAsync(1_000);
    }

    await running;
    expect(bench.records.isLeased(bench.id)).toBe(false);
  });

  it('hands on when the app is about to end', async () => {
    const bench = await benchOf();
    bench.open = silent;
    const running = bench.run();
    await jest.advanceTimersByTimeAsync(1);

    bench.closing.abort();

    expect(await running).toMatchObject({ code: 'Continued' });
    expect(bench.records.isLeased(bench.id)).toBe(false);
  });

  it('does not listen to the end of the app once it is over', async () => {
    const bench = await benchOf();
    const added = jest.spyOn(bench.closing.signal, 'addEventListener');
    const removed = jest.spyOn(bench.closing.signal, 'removeEventListener');

    await bench.run();

    expect(removed.mock.calls).toEqual(added.mock.calls);
    expect(added).toHaveBeenCalledTimes(1);
  });

  it('hands on at once where the app is ending already', async () => {
    const bench = await benchOf();
    bench.open = silent;
    bench.closing.abort();

    expect(await bench.run()).toMatchObject({ code: 'Continued' });
    expect(bench.sent).toEqual([{ id: bench.id, delayMs: 0 }]);
  });

  it('stops within a renewal when its lease is taken from it', async () => {
    const bench = await benchOf();
    bench.open = silent;
    const running = bench.run();
    await jest.advanceTimersByTimeAsync(1);

    await bench.records.breakLease(bench.id);
    await jest.advanceTimersByTimeAsync(JOB_LEASE_RENEW_MS);

    expect(await running).toMatchObject({ code: 'Continued' });
  });

  it('continues where a renewal fails', async () => {
    const bench = await benchOf();
    bench.records.failures.set('renewLease', new ServiceError('StorageUnavailable', 'Down.'));
    bench.open = async (...about) => {
      await new Promise((resolve) => setTimeout(resolve, 2 * JOB_LEASE_RENEW_MS + 1));
      return opened(...about);
    };
    const running = bench.run();

    await jest.advanceTimersByTimeAsync(2 * JOB_LEASE_RENEW_MS + 1);

    expect(await running).toMatchObject({ code: 'Completed' });
  });

  it('is over when the job is cancelled', async () => {
    const bench = await benchOf();
    bench.open = async (...about) => {
      await bench.records.breakLease(bench.id);
      bench.records.change(bench.id, { state: { status: 'cancelled' } });
      return opened(...about);
    };

    expect(await bench.run()).toMatchObject({ code: 'AlreadyFinished' });
    expect([bench.sent, bench.graph.attached, bench.record().state]).toEqual([[], [], { status: 'cancelled' }]);
  });

  it('leaves the job to another that has taken its lease', async () => {
    const bench = await benchOf();
    bench.open = async (...about) => {
      await bench.records.breakLease(bench.id);
      await bench.records.acquireLease(bench.id, JOB_LEASE_SECONDS);
      return opened(...about);
    };

    expect(await bench.run()).toMatchObject({ code: 'HeldElsewhere' });
    expect(bench.sent).toEqual([{ id: bench.id, delayMs: JOB_LEASE_SECONDS * 1000 }]);
    expect([bench.graph.attached, bench.records.isLeased(bench.id)]).toEqual([[], true]);
  });

  it('hands on where the record was written by somebody who does not continue with it', async () => {
    const bench = await benchOf();
    bench.open = async (...about) => {
      await bench.records.breakLease(bench.id);
      bench.changeFile({ sessionsOpened: 2 });
      return opened(...about);
    };

    expect(await bench.run()).toMatchObject({ code: 'Continued' });
    expect(bench.sent).toEqual([{ id: bench.id, delayMs: 0 }]);
  });
});

describe('the lease and the timers of a run', () => {
  it.each([
    [
      'the Graph client cannot be loaded',
      (bench: Bench) => (bench.graphHttp = () => Promise.reject(new Error('load'))),
    ],
    ['the record cannot be read', (bench: Bench) => bench.records.failures.set('read', new Error('read'))],
    ['the record cannot be written', (bench: Bench) => bench.records.failures.set('write', new Error('write'))],
    [
      'the URL of the session is not one of Graph',
      ({ changeFile }: Bench) =>
        changeFile({ session: { uploadUrl: 'https://evil.example/', expirationDateTime: at(MINUTE_MS) } }),
    ],
  ] as const)('are given back where %s', async (_, breakIt) => {
    const bench = await benchOf();
    breakIt(bench);

    const line = await bench.run();

    expect(line['code']).toMatch(/^(?:Postponed|Failed)$/);
    expect([jest.getTimerCount(), bench.records.isLeased(bench.id)]).toEqual([0, false]);
  });

  it('bring the message back in half a minute where the run could not begin', async () => {
    const bench = await benchOf();
    bench.graphHttp = () => Promise.reject(new ServiceError('GraphUnreachable', 'load'));

    expect(await bench.run()).toMatchObject({ code: 'Postponed', reason: 'GraphUnreachable' });
    expect(bench.sent).toEqual([{ id: bench.id, delayMs: JOB_STORAGE_RETRY_MS }]);
    expect(bench.record().attempts).toBe(0);
  });

  it('do not change the outcome where the lease cannot be released', async () => {
    const bench = await benchOf();
    bench.records.failures.set('releaseLease', new Error('release'));

    expect(await bench.run()).toMatchObject({ code: 'Completed' });
    expect(bench.sent).toEqual([]);
  });

  it('are not taken where the lease cannot be asked for', async () => {
    const bench = await benchOf();
    bench.records.failures.set('acquireLease', new ServiceError('StorageUnavailable', 'Down.'));

    expect(await bench.run()).toMatchObject({ code: 'Postponed', reason: 'StorageUnavailable' });
    expect(bench.sent).toEqual([{ id: bench.id, delayMs: JOB_STORAGE_RETRY_MS }]);
    expect(bench.records.calls).toEqual(['acquireLease']);
  });
});

describe('where neither record nor queue can be reached', () => {
  it('the run fails for its host, with nothing of ours in the error', async () => {
    const bench = await benchOf();
    bench.records.failures.set('acquireLease', new Error('Zq7-store'));
    bench.queueFailure = new Error('Zq7-queue');

    const failure = await bench.run().catch((error: unknown) => error);
    await settled();

    expect(failure).toMatchObject({
      message: 'The run broke off; its line has the reason.',
      stack: 'The run broke off; its line has the reason.',
    });
  });

  it('a run that cannot send its message on fails too, and its lease is free for the next', async () => {
    const bench = await benchOf({ notBefore: at(MINUTE_MS) });
    bench.queueFailure = new Error('queue');

    await expect(bench.run()).rejects.toThrow('The run broke off');
    expect(bench.records.isLeased(bench.id)).toBe(false);
  });
});

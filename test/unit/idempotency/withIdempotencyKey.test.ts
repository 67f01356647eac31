import type { Caller } from '../../../shared/access/caller.ts';
import { ServiceError } from '../../../shared/errors.ts';
import { GraphError } from '../../../shared/graph/graphError.ts';
import { type Attempt, withIdempotencyKey } from '../../../shared/idempotency/withIdempotencyKey.ts';
import { LogEntry } from '../../../shared/logging/logEntry.ts';
import type { ResponseData } from '../../../shared/server/response.ts';
import { storageNotConfigured } from '../../../shared/storage/storageErrors.ts';
import {
  APP_ID,
  configOf,
  INFO,
  incomingRequest,
  openDeadline,
  TENANT_ID,
  USER_ID,
  upstreamAnswer,
} from '../../support/builders.ts';
import { manualClock, turns } from '../../support/manualClock.ts';
import { memoryBlobs } from '../../support/memoryBlobs.ts';

const WITH_STORE = configOf({ AzureWebJobsStorage: 'UseDevelopmentStorage=true' });
const WITHOUT_STORE = configOf();
const KEY = { 'idempotency-key': 'key' };
const RUN = { 'x-ms-workflow-run-id': 'run', 'x-ms-action-tracking-id': 'action' };
const FILE = ['message', 'report.pdf', 1000];
const FRESH = { mayBeDoneSince: undefined, refusedSince: undefined };

interface Call {
  readonly headers?: Readonly<Record<string, string>>;
  /** The policy's name of the caller. */
  readonly name?: string;
  readonly caller?: Caller;
  readonly request?: readonly unknown[];
  readonly work?: (attempt: Attempt) => Promise<ResponseData>;
  readonly holds?: (response: ResponseData) => Promise<boolean>;
}

/** One store, asked by requests of any caller. Each turn that no call says otherwise of answers with its number. */
function openStore(config = WITH_STORE, idempotency = memoryBlobs()) {
  const clock = manualClock();
  const attempts: Pick<Attempt, 'mayBeDoneSince' | 'refusedSince'>[] = [];
  const deadline = openDeadline();
  function call({
    headers = KEY,
    name = 'invoices',
    caller = { kind: 'functionKey' },
    request = FILE,
    work = async () => created(attempts.length),
    holds = async () => true,
  }: Call = {}): Promise<ResponseData> {
    const logEntry = new LogEntry('attach');
    logEntry.caller = name;
    const exchange = { request: incomingRequest({ headers }), info: INFO, deadline, logEntry };
    const counted = (attempt: Attempt) => {
      const { mayBeDoneSince, refusedSince } = attempt;
      attempts.push({ mayBeDoneSince, refusedSince });
      return work(attempt);
    };
    return withIdempotencyKey(exchange, caller, request, { config, idempotency, clock }, counted, holds);
  }
  return { call, clock, deadline, attempts, idempotency };
}

function created(n: number): ResponseData {
  return { status: 201, headers: {}, body: JSON.stringify({ id: n }) };
}

function refusal(status: number): GraphError {
  return new GraphError(upstreamAnswer(status));
}

/** Work that sends the whole file at once, where Graph then answers so. */
function sending(failure: Error): (attempt: Attempt) => Promise<ResponseData> {
  return async ({ onFullySent }) => {
    onFullySent();
    throw failure;
  };
}

function delegated(userId: string): Caller {
  return { kind: 'delegated', appId: APP_ID, userId };
}

describe('a key', () => {
  it('gives a repetition the first answer', async () => {
    const { call, attempts } = openStore();

    expect([await call(), await call()]).toEqual([created(1), created(1)]);
    expect(attempts).toEqual([FRESH]);
  });

  it('is refused with another body', async () => {
    const { call, attempts } = openStore();
    await call();

    await expect(call({ request: ['message', 'other.pdf', 1000] })).rejects.toMatchObject({
      code: 'IdempotencyKeyReused',
    });
    expect(attempts).toHaveLength(1);
  });

  it.each<[string, Call, Call]>([
    ['callers', { name: 'invoices' }, { name: 'newsletter' }],
    ['users of one application', { caller: delegated(USER_ID) }, { caller: delegated(TENANT_ID) }],
  ])('belongs to each of two %s, with the same body', async (_, one, other) => {
    const { call } = openStore();

    expect([await call(one), await call(other)]).toEqual([created(1), created(2)]);
    expect([await call(one), await call(other)]).toEqual([created(1), created(2)]);
  });

  it.each<[string, Call, Call]>([
    ['callers', { name: 'invoices' }, { name: 'newsletter' }],
    ['users of one application', { caller: delegated(USER_ID) }, { caller: delegated(TENANT_ID) }],
  ])('belongs to each of two %s, with another body', async (_, one, other) => {
    const { call } = openStore();

    expect([await call(one), await call({ ...other, request: ['event', 'b', 1] })]).toEqual([created(1), created(2)]);
  });

  it.each(['', 'a b', 'ü', 'a'.repeat(256)])('is refused if it is malformed: %j', async (key) => {
    const { call, attempts } = openStore();

    await expect(call({ headers: { 'idempotency-key': key } })).rejects.toMatchObject({ code: 'InvalidRequest' });
    expect(attempts).toEqual([]);
  });

  it('is claimed again if its answer no longer holds', async () => {
    const { call } = openStore();
    await call();

    expect(await call({ holds: async () => false })).toEqual(created(2));
    expect(await call()).toEqual(created(2));
  });
});

describe('without a key', () => {
  it.each<[string, Record<string, string>]>([
    ['no header at all', {}],
    ['the run without its action', { 'x-ms-workflow-run-id': 'run' }],
    ['the action without its run', { 'x-ms-action-tracking-id': 'action' }],
  ])('every request is a new one: %s', async (_, headers) => {
    const { call, idempotency } = openStore();

    expect([await call({ headers }), await call({ headers })]).toEqual([created(1), created(2)]);
    expect(idempotency.reads()).toBe(0);
  });

  it('a run and its action are the key, and each turn of a loop has its own', async () => {
    const { call } = openStore();
    const other = { headers: RUN, request: ['message', 'other.pdf', 1000] };

    expect([await call({ headers: RUN }), await call({ headers: RUN })]).toEqual([created(1), created(1)]);
    expect([await call(other), await call(other)]).toEqual([created(2), created(2)]);
    expect(await call({ headers: { ...RUN, 'x-ms-workflow-run-id': 'another' } })).toEqual(created(3));
  });
});

describe('without a store', () => {
  const none = () => ({ ...memoryBlobs(), create: () => Promise.reject(storageNotConfigured()) });

  it('a key of the caller fails, and the work is not begun', async () => {
    const { call, attempts } = openStore(WITHOUT_STORE, none());

    await expect(call()).rejects.toMatchObject({ code: 'StorageNotConfigured' });
    expect(attempts).toEqual([]);
  });

  it('a key of Logic Apps is left out, and the work is done', async () => {
    const { call } = openStore(WITHOUT_STORE, none());

    expect([await call({ headers: RUN }), await call({ headers: RUN })]).toEqual([created(1), created(2)]);
  });
});

describe('the next try', () => {
  it.each([
    ['refuses before it has the whole file', async () => Promise.reject(refusal(403))],
    ['cannot be reached before it has the whole file', async () => Promise.reject(refusal(503))],
  ])('takes no attachment for its own if Graph %s', async (_, work) => {
    const { call, attempts } = openStore();
    await expect(call({ work })).rejects.toThrow();

    await call();

    expect(attempts).toEqual([FRESH, FRESH]);
  });

  it.each([400, 403, 404, 409, 429])(
    'knows since when the file was sent that Graph refused with %d',
    async (status) => {
      const { call, clock, attempts } = openStore();
      await clock.advance(700);
      await expect(call({ work: sending(refusal(status)) })).rejects.toThrow();
      await clock.advance(5_000);

      await call();

      expect(attempts).toEqual([FRESH, { mayBeDoneSince: undefined, refusedSince: 1_000_700 }]);
    },
  );

  it.each([
    ['an answer of 500', refusal(500)],
    ['no answer', new ServiceError('GraphUnreachable', 'The connection to Graph failed.')],
  ])('knows since when the work may be done after %s', async (_, failure) => {
    const { call, clock, attempts } = openStore();
    await expect(call({ work: sending(failure) })).rejects.toThrow();
    await clock.advance(5_000);

    await call();

    expect(attempts).toEqual([FRESH, { mayBeDoneSince: 1_000_000, refusedSince: undefined }]);
  });

  it('knows the first of several refusals', async () => {
    const { call, clock, attempts } = openStore();
    for (let tries = 0; tries < 3; tries += 1) {
      await expect(call({ work: sending(refusal(409)) })).rejects.toThrow();
      await clock.advance(1_000);
    }

    expect(attempts.map(({ refusedSince }) => refusedSince)).toEqual([undefined, 1_000_000, 1_000_000]);
  });

  it('knows nothing of a refused request with another body', async () => {
    const { call, attempts } = openStore();
    await expect(call({ work: sending(refusal(409)) })).rejects.toThrow();

    await call({ request: ['message', 'other.pdf', 1000] });

    expect(attempts).toEqual([FRESH, FRESH]);
  });
});

describe('a repetition while the first is under way', () => {
  it('looks after a quarter of its time, at least 250 ms and at most 4 s, and gets the answer', async () => {
    const { call, clock, idempotency } = openStore();
    const { promise, resolve } = Promise.withResolvers<ResponseData>();
    const first = call({ work: () => promise });
    await turns();
    const second = call();
    await turns();
    for (const ms of [250, 750, 1_000, 6_000, 8_000, 4_000]) await clock.advance(ms);

    // Looks after 0, 0.25, 1, 2, 8, 16 and 20 seconds.
    expect(clock.sleeps).toEqual([250, 250, 250, 500, 2_000, 4_000, 4_000]);
    expect(idempotency.reads()).toBe(7);
    resolve(created(1));
    await first;
    await clock.advance(4_000);
    expect(await second).toEqual(created(1));
  });

  it('looks at most 75 times in the 220 seconds of a request', async () => {
    const { call, clock, idempotency } = openStore();
    void call({ work: () => new Promise(() => {}) });
    await turns();
    void call();
    await turns();

    for (let ms = 0; ms < 220_000; ms += 50) await clock.advance(50);

    expect(idempotency.reads()).toBeGreaterThan(50);
    expect(idempotency.reads()).toBeLessThanOrEqual(75);
  });

  it('ends with its own deadline', async () => {
    const { call, deadline } = openStore();
    void call({ work: () => new Promise(() => {}) });
    await turns();
    const second = call();
    await turns();

    deadline.pass(new ServiceError('TimedOut', 'The time passed.'));

    await expect(second).rejects.toMatchObject({ code: 'TimedOut' });
  });
});

import { createConcurrencyLimiter } from '../../../shared/common/concurrencyLimiter.ts';
import { ServiceError } from '../../../shared/errors.ts';
import type { GraphCall } from '../../../shared/graph/graphClient.ts';
import { createGraphHttp } from '../../../shared/graph/graphHttp.ts';
import type { AttemptResult } from '../../../shared/graph/graphResponse.ts';
import { noSpans } from '../../../shared/graph/graphSpans.ts';
import { LogEntry } from '../../../shared/logging/logEntry.ts';
import { INFO, openDeadline, SESSION_BODY, upstreamAnswer } from '../../support/builders.ts';
import { manualClock, turns } from '../../support/manualClock.ts';

function answer(status: number, code?: string): AttemptResult {
  const body = code === undefined ? SESSION_BODY : JSON.stringify({ error: { code, message: 'No.' } });
  return { kind: 'response', response: upstreamAnswer(status, body) };
}

const NOT_FOUND = answer(404, 'ErrorItemNotFound');
const CREATED = answer(201);

interface Options {
  readonly call?: Partial<GraphCall>;
  /** How long each call takes at Graph. */
  readonly callMs?: number;
  readonly remainingMs?: number;
  readonly maxAttempts?: number;
}

/** Sends a POST to a Graph that answers so, one after the other, the last one for ever. */
async function send(
  results: readonly AttemptResult[],
  { call, callMs = 0, remainingMs = 30_000, maxAttempts = 4 }: Options = {},
) {
  const clock = manualClock(true);
  const logEntry = new LogEntry('attach');
  const deadline = openDeadline(remainingMs);
  let calls = 0;
  const graphHttp = createGraphHttp({
    concurrencyLimiter: createConcurrencyLimiter(64),
    maxAttempts,
    spans: noSpans,
    clock,
    client: {
      async send() {
        const result = results[Math.min(calls, results.length - 1)] ?? CREATED;
        calls += 1;
        if (callMs > 0) await clock.sleep(callMs, deadline.signal);
        return { result: Promise.resolve(result), released: Promise.resolve() };
      },
    },
  });
  const { status } = await graphHttp.send(
    {
      ...INFO,
      operation: 'createUploadSession',
      method: 'POST',
      kind: 'message',
      version: 'v1.0',
      path: '/users/a/messages/m/attachments/createUploadSession',
      body: '{}',
      ...call,
    },
    { mailbox: 'a', tokens: { acquire: async () => 'token', invalidate: () => {} }, deadline, logEntry },
  );
  const sleeps = callMs === 0 ? clock.sleeps : clock.sleeps.filter((ms) => ms !== callMs);
  return { status, calls, sleeps };
}

describe('a POST to an item that Graph does not find', () => {
  it.each([
    [1, [700]],
    [2, [700, 1_400]],
  ])('is sent again until it is found, after %d answers of 404', async (times, sleeps) => {
    const results = [...Array.from({ length: times }, () => NOT_FOUND), CREATED];

    expect(await send(results)).toEqual({ status: 201, calls: times + 1, sleeps });
  });

  it('gets the third 404 of Graph', async () => {
    expect(await send([NOT_FOUND])).toEqual({ status: 404, calls: 3, sleeps: [700, 1_400] });
  });

  it('is not sent again later than 3 seconds after the first 404', async () => {
    expect(await send([NOT_FOUND], { callMs: 900 })).toEqual({ status: 404, calls: 3, sleeps: [700, 1_400] });
    expect(await send([NOT_FOUND], { callMs: 901 })).toEqual({ status: 404, calls: 2, sleeps: [700] });
    expect(await send([NOT_FOUND, CREATED], { callMs: 5_000 })).toEqual({ status: 201, calls: 2, sleeps: [700] });
  });

  it('is not sent again if the time of the request is too short', async () => {
    expect(await send([NOT_FOUND], { remainingMs: 950 })).toMatchObject({ status: 404, calls: 1 });
    expect(await send([NOT_FOUND, CREATED], { remainingMs: 951 })).toMatchObject({ status: 201, calls: 2 });
  });

  it('is sent no more often than the settings allow', async () => {
    expect(await send([NOT_FOUND], { maxAttempts: 1 })).toMatchObject({ calls: 1 });
    expect(await send([NOT_FOUND], { maxAttempts: 2 })).toMatchObject({ calls: 2 });
  });

  it('knows the code of the common list', async () => {
    expect(await send([answer(404, 'itemNotFound'), CREATED])).toMatchObject({ status: 201, calls: 2 });
  });

  it.each([
    ['the user is unknown', answer(404, 'ErrorInvalidUser')],
    ['the mailbox is not there', answer(404, 'MailboxNotEnabledForRESTAPI')],
    ['the user has no mailbox', answer(404, 'ResourceNotFound')],
    ['the group is unknown', answer(404, 'Request_ResourceNotFound')],
    ['a gateway answers', { kind: 'response', response: upstreamAnswer(404, '<html></html>') } as const],
    ['the status is another', answer(400, 'ErrorItemNotFound')],
    ['the item is gone', answer(410, 'ErrorItemNotFound')],
  ])('gets its answer at once if %s', async (_, result) => {
    expect(await send([result, CREATED])).toMatchObject({ calls: 1, sleeps: [] });
  });

  it('is not repeated by a GET', async () => {
    expect(await send([NOT_FOUND, CREATED], { call: { method: 'GET' } })).toMatchObject({ status: 404, calls: 1 });
  });

  it.each([
    ['the item has the file after all', async () => true, 404, 1],
    ['the item does not have the file', async () => false, 201, 2],
    ['the item is not found either', () => Promise.reject(new Error('404')), 201, 2],
  ])('that attaches asks the item first: %s', async (_, isDone, status, calls) => {
    expect(await send([NOT_FOUND, CREATED], { call: { isDone } })).toMatchObject({ status, calls });
  });
});

it('ends a wait with the reason of the deadline', async () => {
  const clock = manualClock();
  const deadline = openDeadline();
  const graphHttp = createGraphHttp({
    concurrencyLimiter: createConcurrencyLimiter(64),
    maxAttempts: 4,
    spans: noSpans,
    clock,
    client: { send: async () => ({ result: Promise.resolve(NOT_FOUND), released: Promise.resolve() }) },
  });
  const sent = graphHttp.send(
    { ...INFO, operation: 'attachments', method: 'POST', kind: 'message', version: 'v1.0', path: '/a', body: '{}' },
    {
      mailbox: 'a',
      tokens: { acquire: async () => 'token', invalidate: () => {} },
      deadline,
      logEntry: new LogEntry('attach'),
    },
  );
  await turns();

  deadline.pass(new ServiceError('TimedOut', 'The time passed.'));

  await expect(sent).rejects.toMatchObject({ code: 'TimedOut' });
});

it('throws the reason of the deadline if it passes during the call, and leaves the place at the mailbox at the release', async () => {
  const deadline = openDeadline();
  const reason = new ServiceError('TimedOut', 'too late');
  const concurrencyLimiter = createConcurrencyLimiter(0, 1);
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const graphHttp = createGraphHttp({
    concurrencyLimiter,
    maxAttempts: 4,
    spans: noSpans,
    client: {
      async send() {
        deadline.pass(reason);
        return { result: Promise.resolve(CREATED), released };
      },
    },
  });

  await expect(
    graphHttp.send(
      { ...INFO, operation: 'attachments', method: 'GET', kind: 'message', version: 'v1.0', path: '/a' },
      {
        mailbox: 'a',
        tokens: { acquire: async () => 'token', invalidate: () => {} },
        deadline,
        logEntry: new LogEntry('attach'),
      },
    ),
  ).rejects.toBe(reason);

  const { signal } = new AbortController();
  await expect(concurrencyLimiter.enter('a', signal)).rejects.toMatchObject({ code: 'MailboxBusy' });
  release();
  await turns();
  await expect(concurrencyLimiter.enter('a', signal)).resolves.toBeDefined();
});

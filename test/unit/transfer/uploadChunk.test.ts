import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { CHUNK_RESPONSE_TIMEOUT_MS, MAX_CHUNK_BYTES } from '../../../shared/common/limits.ts';
import type { AttemptResult } from '../../../shared/graph/graphResponse.ts';
import type { HttpRequest } from '../../../shared/graph/httpRequest.ts';
import { LogEntry } from '../../../shared/logging/logEntry.ts';
import { type UploadedChunk, uploadChunk } from '../../../shared/transfer/uploadChunk.ts';
import type { UploadContext } from '../../../shared/transfer/uploadContext.ts';
import { openDeadline, upstreamAnswer } from '../../support/builders.ts';

const RANGE = { first: 0, last: MAX_CHUNK_BYTES - 1, total: 2 * MAX_CHUNK_BYTES };
const BYTES = randomBytes(MAX_CHUNK_BYTES);
const TAKEN = upstreamAnswer(200, JSON.stringify({ nextExpectedRanges: [`${MAX_CHUNK_BYTES}`] }));

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
});
afterEach(() => jest.useRealTimers());

/** Time passes, and what it sets off happens. */
async function pass(ms: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms);
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

interface Attempt {
  readonly stream: Readable;
  readonly signal: AbortSignal;
  answer(result: AttemptResult): void;
}

/** A chunk that is being sent. The upload host keeps its attempts, and lets go of one that is given up. */
function start(token?: string) {
  const attempts: Attempt[] = [];
  const droppedTokens: string[] = [];
  let places = 0;
  const uploadContext: UploadContext = {
    client: {
      put: async (_address, _range, stream, signal) => {
        const { promise: result, resolve: answer } = Promise.withResolvers<AttemptResult>();
        signal.addEventListener('abort', () =>
          answer({ kind: 'failed', phase: 'beforeResponse', cause: signal.reason }),
        );
        attempts.push({ stream, signal, answer });
        return { result, released: result.then(() => {}) } satisfies HttpRequest;
      },
      remove: () => Promise.reject(new Error('not asked for')),
    },
    uploadUrl: () => ({ origin: 'https://outlook.office.com', path: '/attachmentSessions' }),
    concurrencyLimiter: {
      async enter() {
        places += 1;
        return () => {
          places -= 1;
        };
      },
    },
    mailbox: 'adele',
    deadline: openDeadline(100_000),
    logEntry: new LogEntry('putRange'),
    token: async () => token,
    invalidateToken: (dropped) => droppedTokens.push(dropped),
    retryRemainingMs: () => 90_000,
    pause: async () => {},
  };
  let sent: UploadedChunk | undefined;
  void uploadChunk(uploadContext, RANGE, BYTES).then((result) => {
    sent = result;
  });
  return { attempts, droppedTokens, places: () => places, sent: () => sent };
}

/** Reads what the attempt has to send, as its connection does. */
function drain({ stream }: Attempt): { bytes: () => Buffer; isOver: () => boolean } {
  const chunks: Buffer[] = [];
  let isOver = false;
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.once('end', () => {
    isOver = true;
  });
  return { bytes: () => Buffer.concat(chunks), isOver: () => isOver };
}

describe('sendPiece', () => {
  it('sends the whole chunk, and has a place at the mailbox until the response', async () => {
    const { attempts, places, sent } = start();
    await pass(0);
    const connection = drain(attempts[0] as Attempt);
    await pass(0);
    expect([connection.bytes().equals(BYTES), connection.isOver(), places()]).toEqual([true, true, 1]);

    attempts[0]?.answer({ kind: 'response', response: TAKEN });
    await pass(0);

    expect([sent(), places()]).toEqual([{ outcome: { kind: 'taken' }, isAmbiguous: false, attempts: 1 }, 0]);
  });

  it('sends the same bytes again in each attempt, and has no place between them', async () => {
    const { attempts, places, sent } = start();
    await pass(0);
    (attempts[0] as Attempt).stream.once('data', () => {});
    await pass(0);
    attempts[0]?.answer({ kind: 'failed', phase: 'beforeResponse', cause: new Error('reset') });
    await pass(0);
    const again = drain(attempts[1] as Attempt);
    await pass(0);
    expect([again.bytes().equals(BYTES), again.isOver(), places()]).toEqual([true, true, 1]);

    attempts[1]?.answer({ kind: 'response', response: TAKEN });
    await pass(0);

    expect([sent(), places()]).toEqual([{ outcome: { kind: 'taken' }, isAmbiguous: true, attempts: 2 }, 0]);
  });

  it('gives up what nobody answers, and is in doubt then', async () => {
    const { attempts, places, sent } = start();
    await pass(0);
    drain(attempts[0] as Attempt);
    await pass(CHUNK_RESPONSE_TIMEOUT_MS - 1);
    expect(attempts[0]?.signal.aborted).toBe(false);
    await pass(1);
    expect(attempts[0]?.signal.aborted).toBe(true);

    attempts[1]?.answer({ kind: 'response', response: upstreamAnswer(416) });
    await pass(0);

    expect([sent(), places()]).toEqual([{ outcome: { kind: 'overlap' }, isAmbiguous: true, attempts: 2 }, 0]);
  });

  it('waits on where bytes still go, however slowly Graph takes them', async () => {
    const { attempts } = start();
    await pass(0);
    const stream = attempts[0]?.stream;

    let taken = 0;
    while (taken < MAX_CHUNK_BYTES) {
      await pass(CHUNK_RESPONSE_TIMEOUT_MS / 2);
      taken += stream?.read()?.length ?? 0;
    }

    expect(attempts[0]?.signal.aborted).toBe(false);
  });

  it('renews a token that is refused once', async () => {
    const { attempts, droppedTokens, sent } = start('a token');
    await pass(0);
    attempts[0]?.answer({ kind: 'response', response: upstreamAnswer(401) });
    await pass(0);
    attempts[1]?.answer({ kind: 'response', response: upstreamAnswer(401) });
    await pass(0);

    expect(attempts).toHaveLength(2);
    expect(droppedTokens[0]).toBe('a token');
    expect(sent()?.outcome).toEqual({ kind: 'refused', response: upstreamAnswer(401) });
  });

  it.each<[string, AttemptResult, UploadedChunk['outcome']['kind']]>([
    ['201 with a Location', answered(201, '', { location: 'https://outlook.office.com/a' }), 'attached'],
    ['416', answered(416), 'overlap'],
    ['416 that expects what came', answered(416, '{"nextExpectedRanges":["5-"]}'), 'refused'],
    ['404', answered(404), 'noSession'],
    ['410', answered(410), 'noSession'],
    ['413', answered(413), 'refused'],
    ['401 without a token of ours', answered(401), 'refused'],
  ])('settles with %s', async (_, result, kind) => {
    const { attempts, sent } = start();
    await pass(0);
    attempts[0]?.answer(result);
    await pass(0);

    expect([sent()?.outcome.kind, sent()?.isAmbiguous, attempts.length]).toEqual([kind, false, 1]);
  });

  it.each<[string, AttemptResult, isAmbiguous: boolean]>([
    ['429', answered(429), false],
    ['412', answered(412), false],
    ['423', answered(423), false],
    ['500', answered(500), true],
    ['503', answered(503), true],
    ['201 without a Location', answered(201), true],
    ['200 of a gateway', answered(200, '<html>'), true],
    ['200 that expects something else', answered(200, '{"nextExpectedRanges":["5-"]}'), true],
    ['a redirect', answered(302), true],
    ['a broken connection', { kind: 'failed', phase: 'beforeResponse', cause: new Error('reset') }, true],
  ])('tries again after %s', async (_, result, isAmbiguous) => {
    const { attempts, sent } = start();
    await pass(0);
    attempts[0]?.answer(result);
    await pass(0);
    attempts[1]?.answer({ kind: 'response', response: TAKEN });
    await pass(0);

    expect(sent()).toEqual({ outcome: { kind: 'taken' }, isAmbiguous, attempts: 2 });
  });
});

function answered(status: number, body = '', headers: Record<string, string> = {}): AttemptResult {
  return { kind: 'response', response: upstreamAnswer(status, body, headers) };
}

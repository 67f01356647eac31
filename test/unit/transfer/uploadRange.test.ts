import { abortable } from '../../../shared/common/deadline.ts';
import { ServiceError } from '../../../shared/errors.ts';
import type { AttemptResult } from '../../../shared/graph/graphResponse.ts';
import { LogEntry } from '../../../shared/logging/logEntry.ts';
import { createRequestSource } from '../../../shared/sources/bodySource.ts';
import type { ByteSource } from '../../../shared/sources/byteSource.ts';
import { ChunkBuffer } from '../../../shared/transfer/chunkBuffer.ts';
import type { UploadContext } from '../../../shared/transfer/uploadContext.ts';
import { type TransferProgress, uploadRange } from '../../../shared/transfer/uploadRange.ts';
import { openDeadline, upstreamAnswer } from '../../support/builders.ts';
import { turns } from '../../support/manualClock.ts';

const TOTAL = 100;
const LOCATION = "https://outlook.office.com/users('a')/messages('m')/Attachments('x')";
const LATE = new ServiceError('TimedOut', 'The time passed.');
const GONE = new ServiceError('CallerDisconnected', 'The caller closed the connection.');
const BROKEN = new ServiceError('SourceChanged', 'The file has changed.');

type Graph = 'answers' | 'is silent';

/** Sends a file of 100 bytes from a source, to a Graph that does what is said. */
function send(source: ByteSource, graph: Graph) {
  const deadline = openDeadline();
  const uploadContext: UploadContext = {
    client: {
      async put(_address, _range, bytes, signal) {
        const { promise: result, resolve } = Promise.withResolvers<AttemptResult>();
        signal.addEventListener('abort', () =>
          resolve({ kind: 'failed', phase: 'beforeResponse', cause: signal.reason }),
        );
        bytes.resume();
        const response = upstreamAnswer(201, '', { location: LOCATION });
        if (graph === 'answers') bytes.once('end', () => resolve({ kind: 'response', response }));
        return { result, released: result.then(() => {}) };
      },
      remove: () => Promise.reject(new Error('not asked for')),
    },
    uploadUrl: () => ({ origin: 'https://outlook.office.com', path: '/attachmentSessions' }),
    concurrencyLimiter: { enter: async () => () => {} },
    mailbox: 'adele',
    deadline,
    logEntry: new LogEntry('attach'),
    token: async () => undefined,
    invalidateToken: () => {},
    retryRemainingMs: () => 0,
    pause: async () => {},
  };
  const progress: TransferProgress = {
    uncertainOffsets: [],
    announce: async () => {},
    confirm: async () => {},
    reopen: async () => false,
    findAttachment: async () => undefined,
  };
  const range = { first: 0, last: TOTAL - 1, total: TOTAL };
  const outcome = uploadRange(uploadContext, range, new ChunkBuffer(source), progress);
  outcome.catch(() => {}); // Some fail before the test looks.
  return { outcome, deadline };
}

/** The body of a caller that sends this number of bytes, then nothing. */
function caller(bytes: number): ByteSource {
  const chunks = [Buffer.alloc(bytes)];
  return createRequestSource(
    {
      read: async (signal) => {
        const chunk = chunks.shift();
        if (chunk !== undefined || bytes === TOTAL) return chunk;
        return abortable(new Promise<never>(() => {}), signal);
      },
    },
    TOTAL,
  );
}

/** A source server that sends this number of bytes, then nothing, and says so in its own words. */
function sourceServer(bytes: number, failure?: Error): ByteSource {
  const chunks = [Buffer.alloc(bytes)];
  return {
    sizeBytes: TOTAL,
    async read(signal) {
      const chunk = chunks.shift();
      if (chunk !== undefined || bytes === TOTAL) return chunk;
      if (failure !== undefined) throw failure;
      await abortable(new Promise(() => {}), signal).catch(() => {});
      throw new ServiceError('SourceUnavailable', 'The source was too slow.');
    },
  };
}

describe('sendRange', () => {
  it('gives the Location once Graph has the whole file', async () => {
    expect(await send(caller(TOTAL), 'answers').outcome).toEqual({ kind: 'attached', location: LOCATION });
  });

  it.each<[string, ByteSource, Graph, string]>([
    ['the caller, of whose bytes some are missing', caller(TOTAL - 1), 'answers', 'RequestBodyTimeout'],
    ['the caller, while Graph is silent too', caller(10), 'is silent', 'RequestBodyTimeout'],
    ['the source, of whose bytes some are missing', sourceServer(TOTAL - 1), 'answers', 'SourceUnavailable'],
    ['the source, while Graph is silent too', sourceServer(10), 'is silent', 'SourceUnavailable'],
    ['Graph, which has the whole file of a caller', caller(TOTAL), 'is silent', 'TimedOut'],
    ['Graph, which has the whole file of a source', sourceServer(TOTAL), 'is silent', 'TimedOut'],
  ])('blames %s when the time passes', async (_, source, graph, code) => {
    const { outcome, deadline } = send(source, graph);
    await turns();

    deadline.pass(LATE);

    await expect(outcome).rejects.toMatchObject({ code });
  });

  it.each([
    ['some of its bytes are missing', caller(10)],
    ['some bytes of the source are missing', sourceServer(10)],
    ['Graph has the whole file', caller(TOTAL)],
  ])('says that the caller has gone, where %s', async (_, source) => {
    const { outcome, deadline } = send(source, 'is silent');
    await turns();

    deadline.pass(GONE);

    await expect(outcome).rejects.toBe(GONE);
  });

  it("gives the source's own failure, whatever Graph does", async () => {
    await expect(send(sourceServer(10, BROKEN), 'is silent').outcome).rejects.toBe(BROKEN);
  });
});

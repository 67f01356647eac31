import { Buffer } from 'node:buffer';
import { createHash, randomUUID } from 'node:crypto';
import { createConcurrencyLimiter } from '../../shared/common/concurrencyLimiter.ts';
import type { Dependencies } from '../../shared/dependencies.ts';
import type { GraphHttp } from '../../shared/graph/graphHttp.ts';
import type { AttemptResult } from '../../shared/graph/graphResponse.ts';
import type { JobRecord } from '../../shared/jobs/jobRecord.ts';
import { createJsonMemory } from '../../shared/sources/jsonMemory.ts';
import { RecordConflict } from '../../shared/storage/recordStore.ts';
import type { UploadClient } from '../../shared/transfer/uploadClient.ts';
import type { StoredUpload, UploadRecord, UploadStore } from '../../shared/uploads/uploadRecord.ts';
import { configOf, policyOf, upstreamAnswer } from './builders.ts';
import { createMemoryRecords } from './memoryRecords.ts';

/** What becomes of one piece on its way to the model of Graph. */
export const FATES = [
  'answered',
  'lostBefore',
  'lostAfter',
  'failedBefore',
  'failedAfter',
  'throttled',
  'gatewayPage',
  // The instance that sends it dies, before or after Graph has taken the piece.
  'killedBefore',
  'killedAfter',
] as const;
export type Fate = (typeof FATES)[number];

export interface ModelOfGraph {
  /** @param kill ends the instance that sends through it */
  uploadHost(kill: () => void): UploadClient;
  readonly graphHttp: GraphHttp;
  /** SHA-256 of each attachment. */
  readonly attached: string[];
  /** Taken from the front, one for each piece; then all are answered. */
  fates: Fate[];
  /** Turns of the event loop that the next steps take, at Graph and in the store: taken from the front, then none. */
  turns: number[];
  /** Its list of attachments does not show yet what is there. */
  lags: boolean;
  /** This number of sessions, the next ones that are used, are of an item that is not there yet. */
  unknownSessions: number;
  /** The address of a session that is open. */
  open(): string;
}

const NAME = 'report.pdf';

/**
 * Sessions as Graph keeps them: bytes in order and each once, the attachment with the last of them, and the session gone with
 * it. The bytes of a piece count when the whole of it has come.
 */
export function modelOfGraph(sizeBytes: number): ModelOfGraph {
  const sessions = new Map<string, { received: Buffer; isKnown: boolean | undefined }>();
  const attached: string[] = [];

  /** Undefined: a part of the piece never came. */
  function commit(path: string, first: number, last: number, bytes: Buffer | undefined): AttemptResult {
    const session = sessions.get(path);
    if (session === undefined || bytes === undefined) return answer(404, error('ErrorItemNotFound'));
    session.isKnown ??= --model.unknownSessions < 0;
    if (!session.isKnown) return answer(404, error('ErrorItemNotFound'));
    if (first !== session.received.length || bytes.length !== last - first + 1)
      return answer(416, error('invalidRange'));
    session.received = Buffer.concat([session.received, bytes]);
    if (session.received.length < sizeBytes) {
      return answer(200, JSON.stringify({ nextExpectedRanges: [`${session.received.length}`] }));
    }
    attached.push(createHash('sha256').update(session.received).digest('hex'));
    sessions.delete(path);
    return answer(201, '', { location: `https://outlook.office.com/Attachments('${attached.length}')` });
  }

  const uploadHost = (kill: () => void): UploadClient => ({
    async put({ path }, { first, last }, stream, signal) {
      const released = Promise.resolve();
      if (signal.aborted) return { released, result: Promise.resolve(failed(signal.reason)) };
      const chunks: Buffer[] = [];
      const bytes = await new Promise<Buffer | undefined>((resolve) => {
        const abort = () => resolve(undefined);
        signal.addEventListener('abort', abort, { once: true });
        stream.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          const bytes = Buffer.concat(chunks);
          if (bytes.length > last - first) resolve(bytes);
        });
        stream.once('close', abort);
      });
      await pass(model);
      if (bytes === undefined) return { released, result: Promise.resolve(failed(signal.reason)) };
      const fate = model.fates.shift() ?? 'answered';
      const isTaken = fate === 'answered' || /After$/.test(fate);
      const right = isTaken ? commit(path, first, last, bytes) : undefined;
      if (/^killed/.test(fate)) kill();
      await pass(model);
      return { released, result: Promise.resolve(outcomeOf(fate, right)) };
    },
    async remove({ path }) {
      const status = sessions.delete(path) ? 204 : 404;
      return { released: Promise.resolve(), result: Promise.resolve(answer(status, '')) };
    },
  });

  const graphHttp: GraphHttp = {
    async send({ method }) {
      if (method === 'GET') {
        const lastModifiedDateTime = new Date().toISOString();
        const shown = model.lags ? [] : attached;
        const value = shown.map((_, n) => ({
          id: String(n + 1),
          name: NAME,
          size: sizeBytes,
          lastModifiedDateTime,
        }));
        return upstreamAnswer(200, JSON.stringify({ value }));
      }
      return upstreamAnswer(201, JSON.stringify({ uploadUrl: model.open() }));
    },
  };

  const model: ModelOfGraph = {
    uploadHost,
    graphHttp,
    attached,
    fates: [],
    turns: [],
    lags: false,
    unknownSessions: 0,
    open() {
      const path = `/api/AttachmentSessions('${randomUUID()}')`;
      sessions.set(path, { received: Buffer.alloc(0), isKnown: undefined });
      return `https://outlook.office.com${path}`;
    },
  };
  return model;
}

async function pass({ turns }: Pick<ModelOfGraph, 'turns'>): Promise<void> {
  for (let left = turns.shift() ?? 0; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
}

function outcomeOf(fate: Fate, right: AttemptResult | undefined): AttemptResult {
  switch (fate) {
    case 'lostBefore':
    case 'lostAfter':
    case 'killedBefore':
    case 'killedAfter':
      return failed(new Error('reset'));
    case 'failedBefore':
    case 'failedAfter':
      return answer(503, error('serviceNotAvailable'));
    case 'throttled':
      return answer(429, error('ApplicationThrottled'), { 'retry-after': '9999' });
    case 'gatewayPage':
      return answer(200, '<html></html>');
    case 'answered':
      return right ?? failed(new Error('never'));
  }
}

function answer(status: number, body: string, headers: Record<string, string> = {}): AttemptResult {
  return { kind: 'response', response: upstreamAnswer(status, body, headers) };
}

function failed(cause: unknown): AttemptResult {
  return { kind: 'failed', phase: 'beforeResponse', cause };
}

function error(code: string): string {
  return JSON.stringify({ error: { code, message: 'Played.' } });
}

/** A store in memory that keeps to the conditions of the real one. */
export function memoryStore(model: Pick<ModelOfGraph, 'turns'>): UploadStore {
  const stored = new Map<string, { etag: number; record: UploadRecord }>();
  let etags = 0;
  function put(id: string, record: UploadRecord): StoredUpload {
    etags += 1;
    stored.set(id, { etag: etags, record });
    return { id, etag: String(etags), record, isLeased: false };
  }
  return {
    create: async (record) => put(randomUUID(), record),
    async read(id) {
      await pass(model);
      const found = stored.get(id);
      return found && { id, etag: String(found.etag), record: found.record, isLeased: false };
    },
    async write({ id, etag }, record) {
      await pass(model);
      if (String(stored.get(id)?.etag) !== etag) throw new RecordConflict('changed');
      return put(id, record);
    },
    acquireLease: async () => undefined,
    renewLease: async () => false,
    releaseLease: async () => {},
    breakLease: async () => {},
  };
}

export interface Instance {
  readonly dependencies: Dependencies;
  /** Settles when the instance dies: it answers nothing more, and reaches neither the store nor Graph. */
  readonly death: Promise<void>;
}

/** One instance of the proxy over a store and a Graph that it shares with others. */
export function instanceOf(uploads: UploadStore, { uploadHost, graphHttp }: ModelOfGraph): Instance {
  const { promise: death, resolve: kill } = Promise.withResolvers<void>();
  let isDead = false;
  void death.then(() => {
    isDead = true;
  });
  const alive = <T extends object>(part: T): T =>
    new Proxy(part, {
      get: (target, name, receiver) =>
        isDead && name !== 'then' ? () => Promise.reject(new Error('dead')) : Reflect.get(target, name, receiver),
    });
  const store = alive(uploads);
  const dependencies = {
    config: configOf({ ALLOW_ANY_MAILBOX: 'true', UPLOAD_TIMEOUT_MS: '900' }),
    authenticator: { authenticate: async () => ({ kind: 'functionKey' as const }) },
    policy: policyOf(),
    graphHttp: async () => alive(graphHttp),
    appTokens: { acquire: async () => 'token', invalidate: () => {} },
    userTokens: undefined,
    concurrencyLimiter: createConcurrencyLimiter(64),
    uploads: store,
    idempotency: unused,
    uploadClient: alive(uploadHost(kill)),
    jsonMemory: createJsonMemory(),
    uploadLocks: createConcurrencyLimiter(16, 1),
    jobs: { store: createMemoryRecords<JobRecord>(), queue: undefined },
    closing: new AbortController().signal,
  };
  return { dependencies, death };
}

const unused: Dependencies['idempotency'] = {
  read: async () => undefined,
  create: async () => undefined,
  replace: async () => undefined,
  acquireLease: async () => undefined,
  renewLease: async () => false,
  releaseLease: async () => {},
  breakLease: async () => {},
};

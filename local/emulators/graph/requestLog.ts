import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Caller } from '../common/tokenRegistry.ts';

/** One request as it arrived, and what became of it. */
export interface RecordedRequest {
  readonly method: string;
  /** The request target as sent: path and query, not decoded. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Epoch milliseconds, as are the other moments. */
  readonly startedAt: number;
  /** The id in the answer's `request-id` header. */
  readonly requestId: string;
  /** Bytes of the body that have come in. */
  bytes: number;
  /** Empty for a piece, and for a body over 64 KiB: neither is kept. */
  body: string;
  /** The status sent; undefined while, or where, none was sent. */
  status?: number;
  /** Whose token was accepted; an Outlook uploadUrl takes none. */
  caller?: Caller;
  /** The name of the fault that was played on it. */
  error?: string;
  /** True when the client went away before the whole answer was sent. */
  aborted: boolean;
  abortedAt?: number;
}

/** A call to Graph, or the PUT of a piece. */
export type CallKind = 'call' | 'piece';

export interface RequestLog {
  readonly requests: RecordedRequest[];
  open(request: IncomingMessage, requestId: string): RecordedRequest;
  /** Counts a call to a mailbox as in flight; returns what ends it. */
  enter(mailbox: string, kind: CallKind): () => void;
  maxConcurrent(kind: CallKind): number;
  reset(): void;
}

/** `limit` is how many requests are kept, the newest; 0 keeps none. */
export function createRequestLog(limit: number): RequestLog {
  const requests: RecordedRequest[] = [];
  const inFlight = { call: createGauge(), piece: createGauge() };
  return {
    requests,
    open(request, requestId) {
      const record: RecordedRequest = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        startedAt: Date.now(),
        requestId,
        bytes: 0,
        body: '',
        aborted: false,
      };
      if (limit > 0) requests.push(record);
      // Trimmed in blocks: shifting an array at each request would cost more than the request.
      if (requests.length > limit * 1.1) requests.splice(0, requests.length - limit);
      return record;
    },
    enter: (mailbox, kind) => inFlight[kind].enter(mailbox),
    maxConcurrent: (kind) => inFlight[kind].maximum(),
    reset() {
      requests.length = 0;
      inFlight.call.reset();
      inFlight.piece.reset();
    },
  };
}

/**
 * Counts what is under way for each key, and remembers the most. A look is taken a turn of the event loop after each beginning: the
 * end of a connection that came in before a request may be read behind it.
 */
function createGauge() {
  const counts = new Map<string, number>();
  let maximum = 0;
  return {
    enter(key: string): () => void {
      counts.set(key, (counts.get(key) ?? 0) + 1);
      const look = () => {
        maximum = Math.max(maximum, counts.get(key) ?? 0);
      };
      setImmediate(() => setImmediate(look));
      return () => {
        const left = (counts.get(key) ?? 1) - 1;
        if (left === 0) counts.delete(key);
        else counts.set(key, left);
      };
    },
    maximum: () => maximum,
    reset() {
      maximum = 0;
    },
  };
}

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from '../common/tokenRegistry.ts';
import { createCallIds } from './graphResponse.ts';

/** One request as it arrived, and its outcome. */
export interface RecordedRequest {
  readonly method: string;
  /** The request target as sent: path and query, not decoded. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Epoch milliseconds, as are the other moments. */
  readonly startedAt: number;
  /** The `request-id` header of the response. */
  readonly requestId: string;
  /** Bytes of the body that have arrived. */
  bytes: number;
  /** Empty for a chunk, and for a body over 64 KiB. */
  body: string;
  /** Undefined until a response is sent. */
  status?: number;
  /** The holder of the accepted token; an Outlook uploadUrl takes no token. */
  caller?: Caller;
  /** The name of the error played on it. */
  error?: string;
  /** True if the client left before the complete response was sent. */
  aborted: boolean;
  abortedAt?: number;
}

/** A call to Graph, or the PUT of a chunk. */
export type CallKind = 'call' | 'chunk';

export type RequestLog = ReturnType<typeof createRequestLog>;

/** Keeps the newest `limit` requests. */
export function createRequestLog(limit: number) {
  const requests: RecordedRequest[] = [];
  const inFlight = { call: createGauge(), chunk: createGauge() };
  return {
    requests,
    open(request: IncomingMessage, requestId: string): RecordedRequest {
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
      // Trims in blocks, because shifting the array at each request would cost more than the request.
      if (requests.length > limit * 1.1) requests.splice(0, requests.length - limit);
      return record;
    },
    /** Counts a call to a mailbox as in flight until the returned function is called. */
    enter: (mailbox: string, kind: CallKind) => inFlight[kind].enter(mailbox),
    maxConcurrent: (kind: CallKind) => inFlight[kind].maximum(),
    reset() {
      requests.length = 0;
      inFlight.call.reset();
      inFlight.chunk.reset();
    },
  };
}

/**
 * Counts the calls in flight for each key, and keeps the maximum. It looks a turn of the event loop after each start, because
 * Node may read a request before the end of an earlier connection.
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

export type RequestContext = ReturnType<typeof openContext>;

/** One request under way, and its record. `resetConnection` resets the client's TCP connection. */
export function openContext(
  log: RequestLog,
  request: IncomingMessage,
  response: ServerResponse,
  date: Date,
  resetConnection: () => void,
) {
  const header = request.headers['client-request-id'];
  const ids = createCallIds(typeof header === 'string' ? header : undefined, date);
  const record = log.open(request, ids.requestId);
  let isAborted = false;
  let endCall: (() => void) | undefined;
  const leave = () => {
    endCall?.();
    endCall = undefined;
  };
  // Node closes the response some turns of the event loop after it has read the end of the connection.
  request.socket.once('end', leave);
  response.once('close', () => {
    request.socket.off('end', leave);
    leave();
    if (response.writableFinished || isAborted) return;
    record.aborted = true;
    record.abortedAt = Date.now();
  });
  return {
    request,
    response,
    ids,
    record,
    /** Counts the call as in flight for a mailbox until it ends. */
    enter(mailbox: string, kind: CallKind): void {
      endCall = log.enter(mailbox, kind);
    },
    /** The body, each part counted in the record. */
    async *body(): AsyncGenerator<Buffer> {
      for await (const part of request) {
        record.bytes += part.length;
        yield part;
      }
    },
    /** The complete response is on its way. */
    leave,
    /** Breaks the connection as an error does: by a TCP reset, or by an orderly end too early. */
    abort(how: 'reset' | 'end'): void {
      isAborted = true;
      leave();
      if (how === 'reset') resetConnection();
      else response.socket?.end();
    },
  };
}

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

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
  /** Bodies of ranged PUTs are not kept: empty. */
  body: string;
  /** The status sent; undefined while, or where, none was sent. */
  status?: number;
  /** The name of the fault that was played on it. */
  fault?: string;
  /** True when the client went away before the whole answer was sent. */
  aborted: boolean;
  abortedAt?: number;
}

export interface RequestLog {
  readonly requests: RecordedRequest[];
  open(request: IncomingMessage, requestId: string): RecordedRequest;
  /** Counts a call to a mailbox as in flight; returns what ends it. */
  enter(mailbox: string): () => void;
  maxConcurrentPerMailbox(): number;
  reset(): void;
}

/** `limit` is how many requests are kept, the newest; 0 keeps none. */
export function createRequestLog(limit: number): RequestLog {
  const requests: RecordedRequest[] = [];
  const inFlight = new Map<string, number>();
  let maximum = 0;
  return {
    requests,
    open(request, requestId) {
      const record: RecordedRequest = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        startedAt: Date.now(),
        requestId,
        body: '',
        aborted: false,
      };
      if (limit > 0) requests.push(record);
      // Trimmed in blocks: shifting an array at each request would cost more than the request.
      if (requests.length > limit * 1.1) requests.splice(0, requests.length - limit);
      return record;
    },
    enter(mailbox) {
      const count = (inFlight.get(mailbox) ?? 0) + 1;
      inFlight.set(mailbox, count);
      maximum = Math.max(maximum, count);
      return () => {
        const left = (inFlight.get(mailbox) ?? 1) - 1;
        if (left === 0) inFlight.delete(mailbox);
        else inFlight.set(mailbox, left);
      };
    },
    maxConcurrentPerMailbox: () => maximum,
    reset() {
      requests.length = 0;
      maximum = 0;
    },
  };
}

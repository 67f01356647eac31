import type { IncomingMessage, ServerResponse } from 'node:http';
import { MATCH_TIMEOUT_MS, UNMATCHED_RETRY_AFTER_SECONDS } from '../common/limits.ts';
import { ServiceError } from '../errors.ts';
import { setCorsHeaders } from './crossOrigin.ts';
import { type ParsedRequest, readIncomingRequest } from './request.ts';
import { errorResponse } from './response.ts';

/** The HTTP request of an invocation, and the way back to its caller. */
export interface MatchedRequest {
  readonly read: ParsedRequest;
  readonly response: ServerResponse;
}

/**
 * The host sends each HTTP request twice: as an invocation message to the worker, and as an HTTP request to the app's server
 * (httpServer.ts) with the invocation's id in a header. If a caller sets that header, or sends one that the host cannot
 * forward, the two never meet, and an invocation that waits without limit makes the host end the worker with all its
 * requests (host-measured; Azure/azure-functions-host, DefaultHttpProxyService uses TryAdd). So the two are brought together
 * here, each for a bounded time; the library sees neither request nor answer.
 *
 * A request under its caller's own id is stray, and so is its invocation. Both end as soon as they are known to belong together:
 * until then the host keeps the caller's connection, on which others' requests may wait behind it.
 */
export interface RequestMatcher {
  /**
   * Waits for the invocation's request; undefined where none came in time, or one came under the caller's own id.
   *
   * @param claimedId reads the caller's own id from what the host says of the request. A body may have written it, so it ends
   *   nothing but the wait of an invocation and of a request under that very id.
   */
  requestOf(invocationId: string, claimedId?: () => string | undefined): Promise<MatchedRequest | undefined>;
  /**
   * The request of an invocation that has been paired and has not ended: what a handler works with.
   * @throws TypeError for any other invocation
   */
  taken(invocationId: string): ParsedRequest;
  /** The invocation has been answered: what is left of its body is read away. */
  end(invocationId: string): void;
  /** Takes a request from the app's server. */
  arrive(message: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void;
  /** Answers the requests that wait, and all that come later, with this error. */
  refuseAll(error: ServiceError): void;
  /** How many requests and invocations stayed alone since the start. */
  readonly unmatched: number;
}

const INVOCATION_ID_HEADER = 'x-ms-invocation-id';

/** The host's own ids are GUIDs: any other one was sent by the caller. */
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @param corsAllowedOrigins as in Config */
export function createRequestMatcher(
  timeoutMs = MATCH_TIMEOUT_MS,
  corsAllowedOrigins: readonly string[] = [],
): RequestMatcher {
  const unmatchedRequests = createWaitingList<MatchedRequest>();
  const unmatchedInvocations = createWaitingList<(found: MatchedRequest) => void>();
  const claims: typeof unmatchedInvocations = createWaitingList();
  const underWay = new Map<string, ParsedRequest>();
  let unmatched = 0;
  let refusal: ServiceError | undefined;

  function pair(invocationId: string, { read, response }: MatchedRequest): MatchedRequest {
    underWay.set(invocationId, read);
    return { read, response };
  }

  function refuse({ read, response }: MatchedRequest, error: ServiceError): void {
    unmatched += 1;
    sendError(response, error);
    void read.request.body.drain();
  }

  /** A stray request and its invocation. */
  function discard(stray: MatchedRequest): undefined {
    unmatched += 1;
    refuse(stray, sentByCaller());
  }

  return {
    arrive(message, response, expectsContinue) {
      setCorsHeaders(message, response, corsAllowedOrigins);
      const invocationId = message.headers[INVOCATION_ID_HEADER];
      const request = { read: readIncomingRequest(message, response, expectsContinue), response };
      if (refusal !== undefined) return refuse(request, refusal);
      // The host repeats a request whose connection broke, under the same id: the first one has the handler.
      if (typeof invocationId !== 'string' || underWay.has(invocationId)) return refuse(request, lateOrRepeated());
      const meet = unmatchedInvocations.take(invocationId) ?? claims.take(invocationId);
      if (meet !== undefined) return meet(request);
      const timer = setTimeout(() => {
        leave();
        refuse(request, GUID.test(invocationId) ? lateOrRepeated() : sentByCaller());
      }, timeoutMs);
      const leave = unmatchedRequests.add(invocationId, request, () => {
        clearTimeout(timer);
        response.off('close', leave);
      });
      response.once('close', leave);
    },
    requestOf(invocationId, claimedId = () => undefined) {
      const request = unmatchedRequests.take(invocationId);
      if (request !== undefined) return Promise.resolve(pair(invocationId, request));
      const strayId = claimedId();
      const stray = strayId === undefined ? undefined : unmatchedRequests.take(strayId);
      if (stray !== undefined) return Promise.resolve(discard(stray));
      return new Promise((resolve) => {
        const end = (found?: MatchedRequest) => {
          clearTimeout(timer);
          for (const leave of waits) leave();
          resolve(found);
        };
        const timer = setTimeout(() => {
          unmatched += 1;
          end();
        }, timeoutMs);
        const waits = [unmatchedInvocations.add(invocationId, (found) => end(pair(invocationId, found)))];
        if (strayId !== undefined) waits.push(claims.add(strayId, (found) => end(discard(found))));
      });
    },
    taken(invocationId) {
      const read = underWay.get(invocationId);
      if (read === undefined) throw new TypeError('The invocation has no request.');
      return read;
    },
    end(invocationId) {
      const read = underWay.get(invocationId);
      underWay.delete(invocationId);
      void read?.request.body.drain();
    },
    refuseAll(error) {
      refusal = error;
      for (const request of unmatchedRequests.takeAll()) refuse(request, error);
    },
    get unmatched() {
      return unmatched;
    },
  };
}

function sentByCaller(): ServiceError {
  return new ServiceError('InvalidRequest', "The header x-ms-invocation-id is the platform's own; send none.");
}

function lateOrRepeated(): ServiceError {
  return new ServiceError('RequestNotDelivered', 'The platform delivered the request late or twice; try again.', {
    headers: { 'retry-after': String(UNMATCHED_RETRY_AFTER_SECONDS) },
  });
}

/** For a request that no invocation will answer. */
function sendError(response: ServerResponse, error: ServiceError): void {
  const requestId = crypto.randomUUID();
  const { status, headers, body } = errorResponse(error, { requestId, clientRequestId: requestId }, new Date());
  response
    .writeHead(status, {
      ...headers,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
    })
    .end(body);
}

/** What waits for its other half, by id. A caller may send one id with several requests. */
function createWaitingList<Waiting>() {
  const byId = new Map<string, Set<{ readonly waiting: Waiting; leave(): void }>>();
  return {
    /** Returns what takes it off the list again; `onLeave` is called then, and when it is taken. */
    add(id: string, waiting: Waiting, onLeave: () => void = () => {}): () => void {
      const entries = byId.get(id) ?? new Set();
      const entry = {
        waiting,
        leave() {
          if (!entries.delete(entry)) return;
          if (entries.size === 0) byId.delete(id);
          onLeave();
        },
      };
      byId.set(id, entries.add(entry));
      return entry.leave;
    },
    /** The one that has waited longest, taken off the list. */
    take(id: string): Waiting | undefined {
      const [entry] = byId.get(id) ?? [];
      entry?.leave();
      return entry?.waiting;
    },
    /** All of them, taken off the list. */
    takeAll(): Waiting[] {
      const entries = [...byId.values()].flatMap((waiting) => [...waiting]);
      for (const entry of entries) entry.leave();
      return entries.map(({ waiting }) => waiting);
    },
  };
}

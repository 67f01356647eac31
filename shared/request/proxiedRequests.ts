import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { errorAnswer } from '../answer.ts';
import { ServiceError } from '../errors.ts';
import { PAIRING_TIMEOUT_MS, PROXY_KEEP_ALIVE_MS } from '../limits.ts';
import { setCorsHeaders } from './crossOrigin.ts';
import { type ReadRequest, readIncomingRequest } from './incomingRequest.ts';

/** The HTTP request of an invocation, and the way back to its caller. */
export interface ProxiedRequest {
  readonly read: ReadRequest;
  readonly response: ServerResponse;
}

/**
 * In streaming mode the platform says each invocation twice: as a message to the worker, and as an HTTP request to a server
 * inside the worker that carries the invocation's id. The Functions library waits for the second without limit. A caller
 * that sets the id itself, or a header that the host cannot forward, would leave an invocation waiting until the host kills
 * the worker with all its requests (host-measured; Azure/azure-functions-host, DefaultHttpProxyService uses TryAdd). So the
 * two are brought together here, each for a bounded time; the library sees neither request nor answer.
 *
 * A request under its caller's own id is stray, and so is its invocation. Both end as soon as they are known to belong together:
 * until then the host keeps the caller's connection, on which others' requests may wait behind it.
 */
export interface ProxiedRequests {
  /**
   * Waits for the invocation's request; undefined where none came in time, or one came under the caller's own id.
   *
   * @param claimedId reads the caller's own id from what the host says of the request. A body may have written it, so it ends
   *   nothing but the wait of an invocation and of a request under that very id.
   */
  requestOf(invocationId: string, claimedId?: () => string | undefined): Promise<ProxiedRequest | undefined>;
  /**
   * The request of an invocation that has been paired and has not ended: what a handler works with.
   * @throws TypeError for any other invocation
   */
  taken(invocationId: string): ReadRequest;
  /** The invocation has been answered: what is left of its body is read away. */
  end(invocationId: string): void;
  /** How many requests and invocations stayed alone since the start. */
  readonly unpaired: number;
}

const INVOCATION_ID_HEADER = 'x-ms-invocation-id';

/** @param corsAllowedOrigins as in Config */
export function createProxiedRequests(
  timeoutMs = PAIRING_TIMEOUT_MS,
  corsAllowedOrigins: readonly string[] = [],
): ProxiedRequests & {
  arrive(message: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void;
} {
  const loneRequests = createWaitingList<ProxiedRequest>();
  const loneInvocations = createWaitingList<(found: ProxiedRequest) => void>();
  const claims: typeof loneInvocations = createWaitingList();
  const underWay = new Map<string, ReadRequest>();
  let unpaired = 0;

  function pair(invocationId: string, { read, response }: ProxiedRequest): ProxiedRequest {
    underWay.set(invocationId, read);
    return { read, response };
  }

  function refuse({ read, response }: ProxiedRequest): void {
    unpaired += 1;
    answerStray(response);
    void read.request.body.readAway();
  }

  /** A stray request and its invocation. */
  function giveUp(stray: ProxiedRequest): undefined {
    unpaired += 1;
    refuse(stray);
  }

  return {
    arrive(message, response, expectsContinue) {
      setCorsHeaders(message, response, corsAllowedOrigins);
      const invocationId = message.headers[INVOCATION_ID_HEADER];
      const request = { read: readIncomingRequest(message, response, expectsContinue), response };
      // The host repeats a request whose connection broke, under the same id: the first one has the handler.
      if (typeof invocationId !== 'string' || underWay.has(invocationId)) return refuse(request);
      const meet = loneInvocations.take(invocationId) ?? claims.take(invocationId);
      if (meet !== undefined) return meet(request);
      const timer = setTimeout(() => {
        leave();
        refuse(request);
      }, timeoutMs);
      const leave = loneRequests.add(invocationId, request, () => {
        clearTimeout(timer);
        response.off('close', leave);
      });
      response.once('close', leave);
    },
    requestOf(invocationId, claimedId = () => undefined) {
      const request = loneRequests.take(invocationId);
      if (request !== undefined) return Promise.resolve(pair(invocationId, request));
      const strayId = claimedId();
      const stray = strayId === undefined ? undefined : loneRequests.take(strayId);
      if (stray !== undefined) return Promise.resolve(giveUp(stray));
      return new Promise((resolve) => {
        const end = (found?: ProxiedRequest) => {
          clearTimeout(timer);
          for (const leave of waits) leave();
          resolve(found);
        };
        const timer = setTimeout(() => {
          unpaired += 1;
          end();
        }, timeoutMs);
        const waits = [loneInvocations.add(invocationId, (found) => end(pair(invocationId, found)))];
        if (strayId !== undefined) waits.push(claims.add(strayId, (found) => end(giveUp(found))));
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
      void read?.request.body.readAway();
    },
    get unpaired() {
      return unpaired;
    },
  };
}

/**
 * Takes the place of the library's listener at the worker's HTTP server, which the library keeps to itself: Node's
 * diagnostics channel shows the server with its first request. To be called before the platform's first request.
 */
export function watchProxiedRequests(corsAllowedOrigins: readonly string[]): ProxiedRequests {
  const requests = createProxiedRequests(PAIRING_TIMEOUT_MS, corsAllowedOrigins);
  const watched = new WeakSet<Server>();
  subscribe('http.server.request.start', (message) => {
    if (!isRequestStart(message)) return;
    const { request, server } = message;
    if (watched.has(server) || request.headers[INVOCATION_ID_HEADER] === undefined) return;
    watched.add(server);
    server.keepAliveTimeout = PROXY_KEEP_ALIVE_MS;
    const take = (expectsContinue: boolean) => (incoming: IncomingMessage, response: ServerResponse) =>
      requests.arrive(incoming, response, expectsContinue);
    server.removeAllListeners('request').on('request', take(false));
    // Without such a listener Node asks for the body before the app can refuse it.
    server.on('checkContinue', take(true));
  });
  return requests;
}

/** No invocation will answer this request: it carries an id that the platform did not give. */
function answerStray(response: ServerResponse): void {
  const requestId = crypto.randomUUID();
  const error = new ServiceError('InvalidRequest', "The header x-ms-invocation-id is the platform's own; send none.");
  const { status, headers, body } = errorAnswer(error, { requestId, clientRequestId: requestId }, new Date());
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
  };
}

interface RequestStart {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly server: Server;
}

/** Node documents the message's shape: nodejs.org/api/diagnostics_channel.html, built-in channels. */
function isRequestStart(message: unknown): message is RequestStart {
  return typeof message === 'object' && message !== null && 'request' in message && 'server' in message;
}

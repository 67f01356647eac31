import type { IncomingMessage, ServerResponse } from 'node:http';
import { type CallIds, createCallIds } from './graphResponse.ts';
import type { CallKind, RecordedRequest, RequestLog } from './requestLog.ts';

/** One request under way, and the record of it. */
export interface RequestContext {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly ids: CallIds;
  readonly record: RecordedRequest;
  /** Counts the call as in flight for a mailbox until it is answered or broken off. */
  enter(mailbox: string, kind: CallKind): void;
  /** The body, each part counted in the record. */
  body(): AsyncIterable<Buffer>;
  /** The whole answer is on its way. */
  leave(): void;
  /** Breaks the connection off, as a fault does: with a TCP reset, or with an orderly end too early. */
  cut(how: 'reset' | 'end'): void;
}

/** Opens the record; `resetConnection` resets the client's TCP connection. */
export function openContext(
  log: RequestLog,
  request: IncomingMessage,
  response: ServerResponse,
  date: Date,
  resetConnection: () => void,
): RequestContext {
  const header = request.headers['client-request-id'];
  const ids = createCallIds(typeof header === 'string' ? header : undefined, date);
  const record = log.open(request, ids.requestId);
  let isCut = false;
  let leave: (() => void) | undefined;
  const exchange: RequestContext = {
    request,
    response,
    ids,
    record,
    enter(mailbox, kind) {
      leave = log.enter(mailbox, kind);
    },
    async *body() {
      for await (const part of request) {
        record.bytes += part.length;
        yield part;
      }
    },
    leave() {
      leave?.();
      leave = undefined;
    },
    cut(how) {
      isCut = true;
      exchange.leave();
      if (how === 'reset') resetConnection();
      else response.socket?.end();
    },
  };
  // Node closes the response turns of the event loop after it has read the end of the connection.
  request.socket.once('end', exchange.leave);
  response.once('close', () => {
    request.socket.off('end', exchange.leave);
    exchange.leave();
    if (response.writableFinished || isCut) return;
    record.aborted = true;
    record.abortedAt = Date.now();
  });
  return exchange;
}

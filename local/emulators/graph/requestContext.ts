import type { IncomingMessage, ServerResponse } from 'node:http';
import { type CallIds, createCallIds } from './graphResponse.ts';
import type { CallKind, RecordedRequest, RequestLog } from './requestLog.ts';

/** One request under way, and the record of it. */
export interface RequestContext {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly ids: CallIds;
  readonly record: RecordedRequest;
  /** Counts the call as in flight for a mailbox until it ends. */
  enter(mailbox: string, kind: CallKind): void;
  /** The body, each part counted in the record. */
  body(): AsyncIterable<Buffer>;
  /** The complete response is on its way. */
  leave(): void;
  /** Breaks the connection as an error does: by a TCP reset, or by an orderly end too early. */
  abort(how: 'reset' | 'end'): void;
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
    enter(mailbox, kind) {
      endCall = log.enter(mailbox, kind);
    },
    async *body() {
      for await (const part of request) {
        record.bytes += part.length;
        yield part;
      }
    },
    leave,
    abort(how) {
      isAborted = true;
      leave();
      if (how === 'reset') resetConnection();
      else response.socket?.end();
    },
  };
}

import type { IncomingMessage, ServerResponse } from 'node:http';

/** Kestrel's own limit, also that of Azure Functions: a body that is longer gets 500, measured on the real host. */
export const REQUEST_BODY_LIMIT_BYTES = 104_857_600;
export const SERVER_HEADER = ['Server', 'Kestrel'] as const;

/** How long Kestrel reads on from a body nobody asked for before it closes the connection. */
const DRAIN_TIMEOUT_MS = 5_000;

/** What the host answers by itself has an empty body. */
export function answerEmpty(response: ServerResponse, status: number): void {
  response.writeHead(status, [...SERVER_HEADER, ...(status === 204 ? [] : ['Content-Length', '0'])]);
  response.end();
}

/** Reads away what is left of a body once the answer is out, and closes the connection when that takes too long. */
export function drainAfterAnswer(request: IncomingMessage, response: ServerResponse): void {
  response.once('finish', () => {
    if (request.complete) {
      return;
    }
    request.unpipe();
    request.resume();
    setTimeout(() => {
      if (!request.complete) {
        request.socket.destroy();
      }
    }, DRAIN_TIMEOUT_MS).unref();
  });
}

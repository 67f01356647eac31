import { once as eventOf } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { lazy } from '../common/lazy.ts';
import { HEADERS_TIMEOUT_MS, PROXY_KEEP_ALIVE_MS } from '../common/limits.ts';

/** The app's HTTP server, to which the Functions host forwards requests. */
export interface HttpServer {
  /** Listens on a free port and returns `http://127.0.0.1:<port>/`; rejects if it cannot. A second call returns the same. */
  listen(): Promise<string>;
  /** Accepts no more connections and closes idle ones; requests under way end first. */
  close(): void;
}

export interface HttpServerEvents {
  /** @param expectsContinue the host waits for `100 Continue` before it sends the body */
  onRequest(message: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void;
  /** A connection could not be accepted. */
  onError(error: Error): void;
}

/** A server on the loopback interface alone: the host runs on the same machine, and nobody else needs to connect. */
export function createHttpServer({ onRequest, onError }: HttpServerEvents): HttpServer {
  const server = createServer({
    keepAliveTimeout: PROXY_KEEP_ALIVE_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    // Node's 300 s would cut off the upload of a slow caller (host-measured). Each operation has its own deadline for the body.
    requestTimeout: 0,
  });
  server.on('request', (message, response) => onRequest(message, response, false));
  // Without this listener Node sends 100 Continue before the app can refuse the body.
  server.on('checkContinue', (message, response) => onRequest(message, response, true));
  return {
    listen: lazy(async () => {
      server.listen(0, '127.0.0.1');
      await eventOf(server, 'listening');
      server.on('error', onError);
      const address = server.address();
      if (typeof address !== 'object' || address === null) throw new TypeError('The HTTP server has no port.');
      return `http://127.0.0.1:${address.port}/`;
    }),
    close: () => server.close(),
  };
}

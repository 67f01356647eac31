import type { IncomingMessage, ServerResponse } from 'node:http';

/** Of a body. The app setting FUNCTIONS_REQUEST_BODY_SIZE_LIMIT changes it (Azure Functions host: ScriptConstants). */
export const DEFAULT_BODY_LIMIT_BYTES = 104_857_600;
export const SERVER_HEADER = ['Server', 'Kestrel'] as const;

/** 32 KiB of headers within 30 s; idle connections are kept 130 s; no limit to the time of a body (KestrelServerLimits). */
export const SERVER_LIMITS = {
  maxHeaderSize: 32_768,
  headersTimeout: 30_000,
  requestTimeout: 0,
  keepAliveTimeout: 130_000,
} as const;

/** How long Kestrel reads on from a body nobody asked for before it closes the connection. */
const DRAIN_TIMEOUT_MS = 5_000;

/** What the host answers by itself has an empty body. */
export function sendEmpty(response: ServerResponse, status: number): void {
  response.writeHead(status, [...SERVER_HEADER, ...(status === 204 ? [] : ['Content-Length', '0'])]);
  response.end();
}

/** Reads away what is left of a body once the answer is out, and closes the connection when that takes too long. */
export function drainAfterResponse(request: IncomingMessage, response: ServerResponse): void {
  response.once('finish', () => {
    if (request.complete) {
      return;
    }
    request.resume();
    setTimeout(() => {
      if (!request.complete) {
        request.socket.destroy();
      }
    }, DRAIN_TIMEOUT_MS).unref();
  });
}

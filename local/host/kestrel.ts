import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Maximum body size. The app setting FUNCTIONS_REQUEST_BODY_SIZE_LIMIT changes it (Azure Functions host: ScriptConstants). */
export const DEFAULT_BODY_LIMIT_BYTES = 104_857_600;
export const SERVER_HEADER = ['Server', 'Kestrel'] as const;

/** 32 KiB of headers within 30 s; idle connections are kept 130 s; no limit to the time of a body (KestrelServerLimits). */
export const SERVER_LIMITS = {
  maxHeaderSize: 32_768,
  headersTimeout: 30_000,
  requestTimeout: 0,
  keepAliveTimeout: 130_000,
} as const;

/** How long Kestrel reads an unused body before it closes the connection. */
const DRAIN_TIMEOUT_MS = 5_000;

/** The host's own responses have an empty body. */
export function sendEmpty(response: ServerResponse, status: number): void {
  response.writeHead(status, [...SERVER_HEADER, ...(status === 204 ? [] : ['Content-Length', '0'])]);
  response.end();
}

/** Drains the rest of a body after the response, and closes the connection if that takes too long. */
export function drainAfterResponse(request: IncomingMessage, response: ServerResponse): void {
  response.once('finish', () => {
    if (request.complete) return;
    request.resume();
    setTimeout(() => {
      if (!request.complete) request.socket.destroy();
    }, DRAIN_TIMEOUT_MS).unref();
  });
}

export type ClientResponse = ReturnType<typeof createClientResponse>;

/**
 * A response on its way to the caller. As with Kestrel, its headers leave with the first byte of the body, and its end when
 * the invocation ends: until then the platform can replace it by a 500, or break it off.
 */
export function createClientResponse(response: ServerResponse) {
  let sendHeaders = () => {};
  return {
    get isUnderWay() {
      return response.headersSent;
    },
    begin(status: number, headers: readonly string[]): void {
      sendHeaders = () => {
        if (!response.headersSent) response.writeHead(status, [...headers]);
      };
    },
    /** Waits while the caller does not read. Rejects if the caller has gone. */
    async write(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
      sendHeaders();
      if (!response.write(bytes)) await once(response, 'drain', { signal });
    },
    complete(): void {
      sendHeaders();
      response.end();
    },
    /** Sends an empty 500, or closes the connection if a part of the response was sent. */
    fail(): void {
      if (response.headersSent) {
        response.socket?.destroySoon();
      } else {
        sendEmpty(response, 500);
      }
    },
  };
}

import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * In streaming mode the platform proxies each request to an HTTP server inside the worker and closes that connection
 * when the caller goes away. The Functions library keeps the server to itself, so Node's own diagnostics channel is what
 * shows it; the header that pairs a proxied request with its invocation names the request.
 */
const INVOCATION_ID_HEADER = 'x-ms-invocation-id';

const openResponses = new Map<string, ServerResponse>();

/** Starts watching; to be called once, before the platform's proxy server takes requests. */
export function watchProxiedRequests(): void {
  subscribe('http.server.request.start', (message) => {
    if (!isRequestStart(message)) return;
    const invocationId = message.request.headers[INVOCATION_ID_HEADER];
    if (typeof invocationId !== 'string') return;
    openResponses.set(invocationId, message.response);
    message.response.once('close', () => openResponses.delete(invocationId));
  });
}

/** Calls the listener when the invocation's caller goes away before the answer; gives back what stops that. */
export function onCallerDisconnect(invocationId: string, listener: () => void): () => void {
  const response = openResponses.get(invocationId);
  if (response === undefined) return () => {};
  response.once('close', listener);
  return () => response.off('close', listener);
}

interface RequestStart {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Node documents the message's shape: nodejs.org/api/diagnostics_channel.html, built-in channels. */
function isRequestStart(message: unknown): message is RequestStart {
  return typeof message === 'object' && message !== null && 'request' in message && 'response' in message;
}

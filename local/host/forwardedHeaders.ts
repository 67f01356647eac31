import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { isHopByHop } from './hopByHopHeaders.ts';
import { isAscii, type RequestHeaders } from './requestHeaders.ts';

const OWN_HEADERS = new Set(['host', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-prefix', 'x-forwarded-proto']);

/**
 * The headers of a request as the worker's own server gets them: values of one name joined, the X-Forwarded ones the
 * host's. An invocation id that the caller sends stays (Azure Functions host: DefaultHttpProxyService uses TryAdd).
 */
export function createForwardedHeaders(
  request: IncomingMessage,
  headers: RequestHeaders,
  invocationId: string,
  workerHost: string,
): string[] {
  const forwarded: string[] = [];
  for (const [name, values] of headers) {
    if (!isHopByHop(name) && !OWN_HEADERS.has(name)) {
      forwarded.push(name, values.join(name === 'cookie' ? '; ' : ', '));
    }
  }
  if (!headers.has('x-ms-invocation-id')) {
    forwarded.push('x-ms-invocation-id', invocationId);
  }
  if (headers.has('transfer-encoding')) {
    forwarded.push('transfer-encoding', 'chunked');
  }
  return [
    ...['host', workerHost],
    ...forwarded,
    ...['x-forwarded-for', request.socket.remoteAddress ?? ''],
    ...['x-forwarded-host', headers.get('host')?.[0] ?? ''],
    ...['x-forwarded-proto', request.socket instanceof TLSSocket ? 'https' : 'http'],
  ];
}

/** .NET's HTTP client refuses to send anything else. */
export function areSendable(headers: readonly string[]): boolean {
  return headers.every(isAscii);
}

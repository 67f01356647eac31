import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

/** Names in lower case, each with its values in the order in which they were sent. */
export type RequestHeaders = ReadonlyMap<string, readonly string[]>;

/** YARP never forwards these, in either direction (RequestUtilities). Node refuses to send `Trailer`. */
const HOP_BY_HOP = new Set([
  'alpn',
  'alt-svc',
  'close',
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'proxy-features',
  'proxy-instruction',
  'security-scheme',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'upgrade-insecure-requests',
]);

const OWN_HEADERS = new Set(['host', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-prefix', 'x-forwarded-proto']);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads the headers as Kestrel does, as UTF-8. Undefined: a value is not UTF-8, for which Kestrel returns 400. */
export function readRequestHeaders(request: IncomingMessage): RequestHeaders | undefined {
  try {
    return new Map(Object.entries(request.headersDistinct).map(([name, values = []]) => [name, values.map(decode)]));
  } catch {
    return undefined;
  }
}

/** Node gives each byte of a header as one character. */
function decode(value: string): string {
  return isAscii(value) ? value : utf8.decode(Buffer.from(value, 'latin1'));
}

/** .NET's HTTP client refuses to send other values. */
export function isAscii(text: string): boolean {
  return /^[\t\x20-\x7e]*$/.test(text);
}

/** The headers of a flat list of names and values that may be forwarded and are not in `without` (lower case). */
export function endToEndHeaders(rawHeaders: readonly string[], without: readonly string[] = []): string[] {
  const pairs = Array.from({ length: rawHeaders.length / 2 }, (_, index) => rawHeaders.slice(index * 2, index * 2 + 2));
  const dropped = new Set([...HOP_BY_HOP, ...without]);
  for (const [name = '', value = ''] of pairs) {
    if (name.toLowerCase() === 'connection') {
      for (const listed of value.split(',')) dropped.add(listed.trim().toLowerCase());
    }
  }
  return pairs.filter(([name = '']) => !dropped.has(name.toLowerCase())).flat();
}

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
    if (!HOP_BY_HOP.has(name) && !OWN_HEADERS.has(name)) {
      forwarded.push(name, values.join(name === 'cookie' ? '; ' : ', '));
    }
  }
  if (!headers.has('x-ms-invocation-id')) forwarded.push('x-ms-invocation-id', invocationId);
  if (headers.has('transfer-encoding')) forwarded.push('transfer-encoding', 'chunked');
  return [
    ...['host', workerHost],
    ...forwarded,
    ...['x-forwarded-for', request.socket.remoteAddress ?? ''],
    ...['x-forwarded-host', headers.get('host')?.[0] ?? ''],
    ...['x-forwarded-proto', request.socket instanceof TLSSocket ? 'https' : 'http'],
  ];
}

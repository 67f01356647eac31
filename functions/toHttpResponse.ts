import type { HttpResponseInit } from '@azure/functions';
import type { ResponseData } from '../shared/server/response.ts';

/** What a handler returns: the platform's form, as far as the app uses it. */
export interface HttpResponse extends HttpResponseInit {
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

/** The host answers an empty 500 in place of an answer with any other character in a header (host-measured). */
const SENDABLE = /^[\t\x20-\x7e]*$/;

/**
 * An answer in the platform's form. What we answer is about one request and may hold an uploadUrl: nobody may store it. A
 * header that the platform cannot send, such as one that Graph wrote in Latin-1, is left out.
 */
export function toHttpResponse({ status, headers, body }: ResponseData): HttpResponse {
  const sendable = Object.entries(headers).filter(([, value]) => SENDABLE.test(value));
  return {
    status,
    headers: {
      ...(body !== '' && { 'content-type': 'application/json' }),
      ...Object.fromEntries(sendable),
      'content-length': String(Buffer.byteLength(body)), // Else the answer is chunked, with a packet of its own for its end.
      'cache-control': 'no-store',
    },
    ...(body !== '' && { body }),
  };
}

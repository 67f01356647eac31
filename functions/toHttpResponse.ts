import type { HttpResponseInit } from '@azure/functions';
import type { Answer } from '../shared/answer.ts';

/** An answer in the platform's form. What we answer is about one request and may hold an uploadUrl: nobody may store it. */
export function toHttpResponse({ status, headers, body }: Answer): HttpResponseInit {
  return {
    status,
    headers: {
      ...headers,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)), // Else the answer is chunked, with a packet of its own for its end.
      'cache-control': 'no-store',
    },
    body,
  };
}

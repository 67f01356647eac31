import type { IncomingMessage, ServerResponse } from 'node:http';
import { PREFLIGHT_MAX_AGE_SECONDS } from '../common/limits.ts';
import { ServiceError } from '../errors.ts';
import type { RequestHeaders } from './request.ts';
import { errorResponse, type RequestIds, type ResponseData } from './response.ts';

/** Headers of answers that a page needs and that browsers hide by default (fetch.spec.whatwg.org, CORS-safelisted response-header name). */
const EXPOSED_HEADERS = [
  'Location',
  'Retry-After',
  'request-id',
  'client-request-id',
  'WWW-Authenticate',
  'Allow',
  'Preference-Applied',
  'Range',
  'x-ms-chunk-size',
  'x-ms-ags-diagnostic',
].join(', ');

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';

/** The header names that a page asks for (RFC 9110, field-name). They go back as they came: `*` would not cover Authorization. */
const HEADER_NAMES = /^[A-Za-z0-9!#$%&'*+.^_`|~, -]{0,2000}$/;

/**
 * Sets the CORS headers on the answer to a request with `Origin`. `Access-Control-Expose-Headers` is also set for an origin that
 * the app does not allow: the platform's own CORS list may allow it. Credentials are never allowed; the app reads no cookie.
 *
 * @param allowedOrigins as in Config.corsAllowedOrigins
 */
export function setCorsHeaders(
  { headers: { origin } }: Pick<IncomingMessage, 'headers'>,
  response: Pick<ServerResponse, 'setHeader'>,
  allowedOrigins: readonly string[],
): void {
  if (origin === undefined) return;
  response.setHeader('access-control-expose-headers', EXPOSED_HEADERS);
  const allowed = allowedOrigin(origin, allowedOrigins);
  if (allowed === undefined) return;
  response.setHeader('access-control-allow-origin', allowed);
  if (allowed !== '*') response.setHeader('vary', 'Origin');
}

/**
 * The answer to OPTIONS. `setCorsHeaders` adds the headers that every answer to a request with `Origin` has.
 *
 * @returns 204 for the preflight of an allowed origin, or else 405 MethodNotAllowed
 */
export function preflightResponse(
  headers: RequestHeaders,
  allowedOrigins: readonly string[],
  ids: RequestIds,
): ResponseData {
  const origin = headers.get('origin');
  const requestedHeaders = headers.get('access-control-request-headers');
  if (origin === null || headers.get('access-control-request-method') === null) {
    return refused('OPTIONS is only answered as a CORS preflight.', ids);
  }
  if (allowedOrigin(origin, allowedOrigins) === undefined) {
    return refused('Pages of this origin may not call the API; CORS_ALLOWED_ORIGINS lists the origins that may.', ids);
  }
  const areNamesValid = requestedHeaders !== null && HEADER_NAMES.test(requestedHeaders);
  return {
    status: 204,
    headers: {
      'access-control-allow-methods': METHODS,
      ...(areNamesValid && { 'access-control-allow-headers': requestedHeaders }),
      'access-control-max-age': String(PREFLIGHT_MAX_AGE_SECONDS),
    },
    body: '',
  };
}

function allowedOrigin(origin: string, allowedOrigins: readonly string[]): string | undefined {
  return allowedOrigins.find((allowed) => allowed === '*' || allowed === origin);
}

function refused(message: string, ids: RequestIds): ResponseData {
  return errorResponse(new ServiceError('MethodNotAllowed', message, { headers: { allow: METHODS } }), ids, new Date());
}

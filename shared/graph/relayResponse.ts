import { type ErrorCode, ServiceError } from '../errors.ts';
import { errorCode, type ResponseData } from '../server/response.ts';
import type { GraphResponse } from './graphAttempt.ts';
import { readUploadSession } from './uploadSession.ts';

/** Of Graph's headers these go back to the caller, and no others. */
const RELAYED_HEADERS = ['request-id', 'client-request-id', 'retry-after', 'x-ms-ags-diagnostic'] as const;

/**
 * Graph's answer as the caller gets it: its status and its body unchanged, where it is an uploadSession or an error of
 * Graph's own.
 *
 * @throws ServiceError GraphAnswerInvalid, GraphRejectedToken, GraphRefused, GraphThrottled, GraphUnavailable, TimedOut
 */
export function relayResponse(upstream: GraphResponse): ResponseData {
  const { status, body } = upstream;
  if (status !== 200 && status !== 201) return relayError(upstream);
  if (readUploadSession(parseBody(body)) === undefined) throw invalidResponse('no uploadSession');
  return { status, headers: relayedHeaders(upstream), body };
}

/**
 * The same for an answer that is no success.
 *
 * @throws ServiceError as `relay` does
 */
export function relayError(upstream: GraphResponse): ResponseData {
  const { status, body } = upstream;
  const headers = relayedHeaders(upstream);
  const fault = faultOf(status);
  if (fault === undefined) throw invalidResponse(`status ${status}`, errorCode(parseBody(body)));
  if (fault !== 'GraphRejectedToken' && errorCode(parseBody(body)) !== undefined) return { status, headers, body };
  throw new ServiceError(fault, FAULT_MESSAGES[fault], { upstreamStatus: status, headers });
}

type UpstreamFault = Extract<
  ErrorCode,
  'GraphRejectedToken' | 'GraphThrottled' | 'GraphUnavailable' | 'TimedOut' | 'GraphRefused'
>;

const FAULT_MESSAGES = {
  GraphRejectedToken:
    'Graph refused the token that the proxy sent. The operator must look at its credential and permissions.',
  GraphThrottled: 'Graph throttles requests to this mailbox.',
  GraphUnavailable: 'Graph is not available.',
  TimedOut: 'Graph did not answer in time.',
  GraphRefused: 'Graph refused the request without saying why.',
} as const satisfies Record<UpstreamFault, string>;

/** Undefined: an answer that Graph should not have given here (2xx other than 200 and 201, 3xx, 500, 502 and so on). */
function faultOf(status: number): UpstreamFault | undefined {
  if (status === 401) return 'GraphRejectedToken';
  if (status === 429) return 'GraphThrottled';
  if (status === 503) return 'GraphUnavailable';
  if (status === 504) return 'TimedOut';
  return status >= 400 && status < 500 ? 'GraphRefused' : undefined;
}

/** @param code of Graph's error, for the log */
export function invalidResponse(what: string, code?: string): ServiceError {
  const message = `Graph sent an answer that cannot be relayed (${what}).`;
  return new ServiceError('GraphAnswerInvalid', message, { cause: code });
}

export function relayedHeaders(upstream: GraphResponse): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of RELAYED_HEADERS) {
    const value = upstream.headers[name];
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}

export function parseBody(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

import { type ErrorCode, ServiceError } from '../errors.ts';
import { errorCode, type ResponseData } from '../server/response.ts';
import { type GraphResponse, parseBody } from './graphResponse.ts';
import { readUploadSession } from './uploadSession.ts';

/** The only headers of Graph that are relayed to the caller. */
const RELAYED_HEADERS = ['request-id', 'client-request-id', 'retry-after', 'x-ms-ags-diagnostic'] as const;

/**
 * Graph's response as the caller gets it: its status and its body unchanged, if the body is an uploadSession or an error of Graph.
 *
 * @throws ServiceError GraphAnswerInvalid, GraphRejectedToken, GraphRefused, GraphThrottled, GraphUnavailable, TimedOut
 */
export function relayResponse(response: GraphResponse): ResponseData {
  const { status, body } = response;
  if (status !== 200 && status !== 201) return relayError(response);
  if (readUploadSession(parseBody(body)) === undefined) throw invalidResponse('no uploadSession');
  return { status, headers: relayedHeaders(response), body };
}

/**
 * The same for a response that is no success.
 *
 * @throws ServiceError as relayResponse does
 */
export function relayError(response: GraphResponse): ResponseData {
  const { status, body } = response;
  const headers = relayedHeaders(response);
  const code = codeOf(status);
  if (code === undefined) throw invalidResponse(`status ${status}`, errorCode(parseBody(body)));
  if (code !== 'GraphRejectedToken' && errorCode(parseBody(body)) !== undefined) return { status, headers, body };
  throw new ServiceError(code, MESSAGES[code], { upstreamStatus: status, headers });
}

const MESSAGES = {
  GraphRejectedToken:
    'Graph refused the token that the proxy sent. The operator must look at its credential and permissions.',
  GraphThrottled: 'Graph throttles requests to this mailbox.',
  GraphUnavailable: 'Graph is not available.',
  TimedOut: 'Graph did not respond in time.',
  GraphRefused: 'Graph rejected the request without a reason.',
} as const satisfies Partial<Record<ErrorCode, string>>;

/** Undefined for a status that Graph should not return here (2xx other than 200 and 201, 3xx, 500, 502 and so on). */
function codeOf(status: number): keyof typeof MESSAGES | undefined {
  if (status === 401) return 'GraphRejectedToken';
  if (status === 429) return 'GraphThrottled';
  if (status === 503) return 'GraphUnavailable';
  if (status === 504) return 'TimedOut';
  return status >= 400 && status < 500 ? 'GraphRefused' : undefined;
}

/** @param code of Graph's error, for the log */
export function invalidResponse(what: string, code?: string): ServiceError {
  const message = `Graph sent a response that cannot be relayed (${what}).`;
  return new ServiceError('GraphAnswerInvalid', message, { cause: code });
}

export function relayedHeaders(response: GraphResponse): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of RELAYED_HEADERS) {
    const value = response.headers[name];
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}

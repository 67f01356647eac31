import { isObject } from '../common/isObject.ts';
import type { ServiceError } from '../errors.ts';

/** What goes back to the caller; the body is JSON. */
export interface ResponseData {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The two ids of one request: ours, and the caller's own or one made for it. */
export interface RequestIds {
  readonly requestId: string;
  readonly clientRequestId: string;
}

/**
 * An error in Graph's shape, so that a stock Graph client can read it:
 * `{"error": {code, message, target?, details?, innerError: {date, "request-id", "client-request-id"}}}`.
 * The ids are ours also where Graph had answered: Graph's own id is then in the log, beside ours.
 * `date` is UTC without a zone, as Graph writes it (learn.microsoft.com/graph/errors).
 */
export function errorResponse(error: ServiceError, ids: RequestIds, now: Date): ResponseData {
  const more = {
    ...(error.target !== undefined && { target: error.target }),
    ...(error.details.length > 0 && { details: error.details }),
  };
  const response = shapedError(error, more, ids, now);
  return { ...response, headers: { ...error.headers, ...response.headers } };
}

function shapedError(
  { status, code, message }: { readonly status: number; readonly code: string; readonly message: string },
  more: Readonly<Record<string, unknown>>,
  requestIds: RequestIds,
  now: Date,
): ResponseData {
  const ids = idHeaders(requestIds);
  const error = { code, message, ...more, innerError: { date: now.toISOString().slice(0, 19), ...ids } };
  return { status, headers: ids, body: JSON.stringify({ error }) };
}

/** What every answer carries, so that it can be found in the log; an answer of Graph's keeps its own `request-id`. */
export function idHeaders({ requestId, clientRequestId }: RequestIds): Record<string, string> {
  return { 'request-id': requestId, 'client-request-id': clientRequestId };
}

/** An error that Graph has given before, as it was kept: in Graph's shape, under the ids of this request. */
export function storedErrorResponse(
  error: { status: number; code: string; message: string },
  ids: RequestIds,
  now: Date,
): ResponseData {
  return shapedError(error, {}, ids, now);
}

/** The code of an error in Graph's shape; undefined for anything else. */
export function errorCode(body: unknown): string | undefined {
  const error = isObject(body) && isObject(body['error']) ? body['error'] : {};
  return typeof error['code'] === 'string' ? error['code'] : undefined;
}

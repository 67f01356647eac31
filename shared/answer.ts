import type { ServiceError } from './errors.ts';
import { isObject } from './isObject.ts';

/** What goes back to the caller; the body is JSON. */
export interface Answer {
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
export function errorAnswer(error: ServiceError, ids: RequestIds, now: Date): Answer {
  const body = {
    error: {
      code: error.code,
      message: error.message,
      ...(error.target !== undefined && { target: error.target }),
      ...(error.details.length > 0 && { details: error.details }),
      innerError: {
        date: now.toISOString().slice(0, 19),
        'request-id': ids.requestId,
        'client-request-id': ids.clientRequestId,
      },
    },
  };
  const headers = { ...error.headers, 'request-id': ids.requestId, 'client-request-id': ids.clientRequestId };
  return { status: error.status, headers, body: JSON.stringify(body) };
}

/** The code of an error in Graph's shape; undefined for anything else. */
export function errorCode(body: unknown): string | undefined {
  const error = isObject(body) && isObject(body['error']) ? body['error'] : {};
  return typeof error['code'] === 'string' ? error['code'] : undefined;
}

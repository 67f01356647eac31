import { isObject } from '../common/isObject.ts';
import { errorCode } from '../server/response.ts';

/** Graph's response, with its whole body. */
export interface GraphResponse {
  readonly status: number;
  /** Lower-case names; a repeated header is joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The result of one attempt: a response, or a connection that failed before the response began or in the middle of it. */
export type AttemptResult =
  | { readonly kind: 'response'; readonly response: GraphResponse }
  | { readonly kind: 'failed'; readonly phase: 'beforeResponse' | 'inResponse'; readonly cause: unknown };

/** Undefined if the body is not JSON. */
export function parseBody(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** The error that ended an upload or a job. Every later request returns it. */
export interface UploadFailure {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** Graph's rejection of a file, as a record keeps it. */
export function uploadFailureOf({ status, body }: Pick<GraphResponse, 'status' | 'body'>): UploadFailure {
  const parsed = parseBody(body);
  const error = isObject(parsed) && isObject(parsed['error']) ? parsed['error'] : {};
  const { message } = error;
  return {
    status,
    code: errorCode(parsed) ?? 'GraphRefused',
    message: typeof message === 'string' ? message : 'Graph rejected the file without a reason.',
  };
}

/**
 * The claims that Graph requires with a 401, as JSON; undefined if it requires none. Continuous access evaluation:
 * learn.microsoft.com/entra/identity-platform/claims-challenge
 */
export function challengeIn({ headers }: GraphResponse): string | undefined {
  const encoded = /claims="([A-Za-z0-9+/=_-]+)"/.exec(headers['www-authenticate'] ?? '')?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}

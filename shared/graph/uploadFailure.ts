import { isObject } from '../common/isObject.ts';
import { errorCode } from '../server/response.ts';
import type { GraphResponse } from './graphAttempt.ts';
import { parseBody } from './relayResponse.ts';

/** What ended an upload or a job: every later request gets the same. */
export interface UploadFailure {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** Graph's refusal of a file, as a record keeps it. */
export function uploadFailureOf({ status, body }: Pick<GraphResponse, 'status' | 'body'>): UploadFailure {
  const parsed = parseBody(body);
  const error = isObject(parsed) && isObject(parsed['error']) ? parsed['error'] : {};
  const { message } = error;
  return {
    status,
    code: errorCode(parsed) ?? 'GraphRefused',
    message: typeof message === 'string' ? message : 'Graph refused the file without saying why.',
  };
}

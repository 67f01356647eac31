import { isObject } from '../common/isObject.ts';
import { errorCode } from '../server/response.ts';
import type { UploadFailure } from '../uploads/uploadRecord.ts';
import type { GraphResponse } from './graphAttempt.ts';
import { parseBody } from './relayResponse.ts';

/** Graph's refusal of a file as the upload keeps it. */
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

import { errorCode } from '../answer.ts';
import type { UpstreamAnswer } from '../graph/exchange.ts';
import { parseBody } from '../graph/relay.ts';
import { isObject } from '../isObject.ts';
import type { UploadFailure } from '../upload/uploadRecord.ts';

/** Graph's refusal of a file as the upload keeps it. */
export function failureOf({ status, body }: Pick<UpstreamAnswer, 'status' | 'body'>): UploadFailure {
  const parsed = parseBody(body);
  const error = isObject(parsed) && isObject(parsed['error']) ? parsed['error'] : {};
  const { message } = error;
  return {
    status,
    code: errorCode(parsed) ?? 'GraphRefused',
    message: typeof message === 'string' ? message : 'Graph refused the file without saying why.',
  };
}

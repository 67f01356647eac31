import { errorCode } from '../answer.ts';
import type { UpstreamAnswer } from '../graph/exchange.ts';
import { parseBody } from '../graph/relay.ts';
import { isObject } from '../isObject.ts';
import type { UploadState } from '../upload/uploadRecord.ts';

/** Graph's refusal of a file as the upload keeps it: every later request gets the same. */
export function failureOf({
  status,
  body,
}: Pick<UpstreamAnswer, 'status' | 'body'>): Extract<UploadState, { status: 'failed' }>['error'] {
  const parsed = parseBody(body);
  const error = isObject(parsed) && isObject(parsed['error']) ? parsed['error'] : {};
  const { message } = error;
  return {
    status,
    code: errorCode(parsed) ?? 'GraphRefused',
    message: typeof message === 'string' ? message : 'Graph refused the file without saying why.',
  };
}

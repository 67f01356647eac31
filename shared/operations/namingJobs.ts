import { errorCode } from '../answer.ts';
import { ServiceError } from '../errors.ts';
import { parseBody, relayError } from '../graph/relay.ts';
import { isObject } from '../isObject.ts';
import { UpstreamFailure } from '../transfer/upstreamFailure.ts';

const HINT = 'A file at a sourceUrl can be attached later: send the header Prefer: respond-async.';

/**
 * Where Graph asks for a wait that does not fit the request, what it says is followed by the way that waits.
 *
 * @throws always: the failure, with the hint where it is one of these
 */
export function namingJobs(failure: unknown): never {
  if (!(failure instanceof UpstreamFailure) || ![429, 503].includes(failure.answer.status)) throw failure;
  const body = parseBody(failure.answer.body);
  if (isObject(body) && isObject(body['error']) && errorCode(body) !== undefined) {
    const { error } = body;
    const message = [error['message'], HINT].filter((part) => typeof part === 'string').join(' ');
    throw new UpstreamFailure({ ...failure.answer, body: JSON.stringify({ ...body, error: { ...error, message } }) });
  }
  try {
    relayError(failure.answer);
  } catch (unrelayable) {
    if (!(unrelayable instanceof ServiceError)) throw unrelayable;
    const { code, message, headers } = unrelayable;
    throw new ServiceError(code, `${message} ${HINT}`, { headers });
  }
  throw failure;
}

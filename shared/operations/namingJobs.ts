import { isObject } from '../common/isObject.ts';
import { ServiceError } from '../errors.ts';
import { GraphError } from '../graph/graphError.ts';
import { parseBody } from '../graph/graphResponse.ts';
import { relayError } from '../graph/relayResponse.ts';
import { errorCode } from '../server/response.ts';

const HINT = 'A file at a sourceUrl can be attached later: send the header Prefer: respond-async.';

/**
 * Where Graph asks for a wait that does not fit the request, what it says is followed by the way that waits.
 *
 * @throws always: the failure, with the hint where it is one of these
 */
export function namingJobs(failure: unknown): never {
  if (!(failure instanceof GraphError) || ![429, 503].includes(failure.response.status)) throw failure;
  const body = parseBody(failure.response.body);
  if (isObject(body) && isObject(body['error']) && errorCode(body) !== undefined) {
    const { error } = body;
    const message = [error['message'], HINT].filter((part) => typeof part === 'string').join(' ');
    throw new GraphError({ ...failure.response, body: JSON.stringify({ ...body, error: { ...error, message } }) });
  }
  try {
    relayError(failure.response);
  } catch (unrelayable) {
    if (!(unrelayable instanceof ServiceError)) throw unrelayable;
    const { code, message, headers } = unrelayable;
    throw new ServiceError(code, `${message} ${HINT}`, { headers });
  }
  throw failure;
}

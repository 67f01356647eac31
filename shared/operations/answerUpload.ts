import type { InvocationContext } from '@azure/functions';
import type { Answer } from '../answer.ts';
import { ServiceError } from '../errors.ts';
import type { OperationName } from '../log/requestRecord.ts';
import { hasContentCoding } from '../request/contentCoding.ts';
import type { IncomingRequest, ReadRequest } from '../request/incomingRequest.ts';
import { answerOperation, type Exchange } from './answerOperation.ts';
import { cancelUpload } from './cancelUpload.ts';
import type { Collaborators } from './collaborators.ts';
import { receiveRange } from './receiveRange.ts';
import { showUpload } from './showUpload.ts';
import { CHUNKED_MESSAGE_FORM, UPLOAD_SESSION_FORM } from './uploadForm.ts';

type Operate = (exchange: Exchange, id: string, collaborators: Collaborators) => Promise<Answer>;

/** What each method does at an upload's address. */
const OPERATIONS: Readonly<Record<string, { readonly operation: OperationName; readonly operate: Operate }>> = {
  GET: { operation: 'showUpload', operate: showUpload },
  PUT: {
    operation: 'receiveRange',
    operate: (exchange, id, collaborators) => receiveRange(exchange, id, UPLOAD_SESSION_FORM, collaborators),
  },
  PATCH: {
    operation: 'receiveRange',
    operate: (exchange, id, collaborators) => receiveRange(exchange, id, CHUNKED_MESSAGE_FORM, collaborators),
  },
  DELETE: { operation: 'cancelUpload', operate: cancelUpload },
};

/**
 * Answers a request at an upload's address. The address is the credential, as Graph's own uploadUrl is: no key and no token is
 * looked at, and none goes on. Where the upload acts for a user, Graph is asked with that user's token, which must come along.
 */
export function answerUpload(
  read: ReadRequest,
  id: string,
  context: InvocationContext,
  collaborators: Collaborators,
): Promise<Answer> {
  const method = read.kind === 'read' ? read.request.method : '';
  const { operation, operate } = OPERATIONS[method] ?? { operation: 'showUpload', operate: refuseMethod };
  const { uploadTimeoutMs, logMailbox } = collaborators.config;
  return answerOperation(read, context, { operation, timeoutMs: uploadTimeoutMs, logMailbox }, async (exchange) => {
    refuseContentCoding(exchange.request);
    return operate(exchange, id, collaborators);
  });
}

/** First of all: a coded body has another length than its range, and the caller must hear the reason, not the mismatch. */
function refuseContentCoding({ headers }: IncomingRequest): void {
  if (!hasContentCoding(headers)) return;
  const message = 'Content-Encoding is not supported at an upload; send the bytes of the range as they are.';
  throw new ServiceError('UnsupportedMediaType', message);
}

async function refuseMethod(): Promise<Answer> {
  throw new ServiceError('MethodNotAllowed', 'An upload takes PUT, PATCH, GET and DELETE.', {
    headers: { allow: Object.keys(OPERATIONS).join(', ') },
  });
}

import type { InvocationContext } from '@azure/functions';
import type { Dependencies } from './dependencies.ts';
import { ServiceError } from './errors.ts';
import { handleRequest, type RequestContext } from './handleRequest.ts';
import type { OperationName } from './logging/logEntry.ts';
import { hasContentCoding } from './server/contentCoding.ts';
import type { IncomingRequest, ParsedRequest } from './server/request.ts';
import type { ResponseData } from './server/response.ts';
import { deleteUpload } from './uploads/deleteUpload.ts';
import { getUpload } from './uploads/getUpload.ts';
import { putRange } from './uploads/putRange.ts';
import { CHUNKED_MESSAGE_FORMAT, UPLOAD_SESSION_FORMAT } from './uploads/responseFormat.ts';

type Operate = (context: RequestContext, id: string, dependencies: Dependencies) => Promise<ResponseData>;

/** What each method does at an upload's address. */
const OPERATIONS: Readonly<Record<string, { readonly operation: OperationName; readonly operate: Operate }>> = {
  GET: { operation: 'getUpload', operate: getUpload },
  PUT: {
    operation: 'putRange',
    operate: (context, id, dependencies) => putRange(context, id, UPLOAD_SESSION_FORMAT, dependencies),
  },
  PATCH: {
    operation: 'putRange',
    operate: (context, id, dependencies) => putRange(context, id, CHUNKED_MESSAGE_FORMAT, dependencies),
  },
  DELETE: { operation: 'deleteUpload', operate: deleteUpload },
};

/**
 * Answers a request at an upload's address. The address is the credential, as Graph's own uploadUrl is: no key and no token is
 * looked at, and none goes on. Where the upload acts for a user, Graph is asked with that user's token, which must come along.
 */
export function handleUpload(
  read: ParsedRequest,
  id: string,
  context: InvocationContext,
  dependencies: Dependencies,
): Promise<ResponseData> {
  const method = read.kind === 'read' ? read.request.method : '';
  const { operation, operate } = OPERATIONS[method] ?? { operation: 'getUpload', operate: refuseMethod };
  const { uploadTimeoutMs, logMailbox } = dependencies.config;
  return handleRequest(read, context, { operation, timeoutMs: uploadTimeoutMs, logMailbox }, async (context) => {
    refuseContentCoding(context.request);
    return operate(context, id, dependencies);
  });
}

/** First of all: a coded body has another length than its range, and the caller must hear the reason, not the mismatch. */
function refuseContentCoding({ headers }: IncomingRequest): void {
  if (!hasContentCoding(headers)) return;
  const message = 'Content-Encoding is not supported at an upload; send the bytes of the range as they are.';
  throw new ServiceError('UnsupportedMediaType', message);
}

async function refuseMethod(): Promise<ResponseData> {
  throw new ServiceError('MethodNotAllowed', 'An upload takes PUT, PATCH, GET and DELETE.', {
    headers: { allow: Object.keys(OPERATIONS).join(', ') },
  });
}

import type { InvocationContext } from '@azure/functions';
import { startDeadline } from './common/deadline.ts';
import { isObject } from './common/isObject.ts';
import type { Config } from './config/config.ts';
import type { RequestContext } from './dependencies.ts';
import { asServiceError, ServiceError } from './errors.ts';
import { GraphError } from './graph/graphError.ts';
import { parseBody, uploadFailureOf } from './graph/graphResponse.ts';
import { relayError } from './graph/relayResponse.ts';
import { LogEntry, type OperationName } from './logging/logEntry.ts';
import { requestLine } from './logging/requestLine.ts';
import type { ParsedRequest } from './server/request.ts';
import { type RequestInfo, readRequestInfo } from './server/requestInfo.ts';
import { errorCode, errorResponse, idHeaders, type ResponseData, storedErrorResponse } from './server/response.ts';
import { RecordConflict } from './storage/recordStore.ts';

export interface OperationFrame {
  readonly operation: OperationName;
  readonly timeoutMs: number;
  readonly logMailbox: Config['logMailbox'];
}

/**
 * Runs one operation inside its deadline and always gives an answer; writes the request's one log line. The caller going
 * away ends the work.
 */
export async function handleRequest(
  read: ParsedRequest,
  context: InvocationContext,
  { operation, timeoutMs, logMailbox }: OperationFrame,
  run: (context: RequestContext) => Promise<ResponseData>,
): Promise<ResponseData> {
  const logEntry = new LogEntry(operation);
  const info = readRequestInfo(read.request.headers, context);
  const deadline = startDeadline(timeoutMs);
  let stopWatching = () => {};
  let response: ResponseData;
  let error: unknown;
  try {
    if (read.kind === 'faulty') throw read.fault;
    stopWatching = read.request.onCallerGone(deadline.cancel);
    response = await run({ request: read.request, info, deadline, logEntry });
  } catch (caught) {
    error = caught;
    response = failureAnswer(caught, info);
  } finally {
    stopWatching();
    deadline.end();
  }
  context.log(requestLine(logEntry, info, { status: response.status, code: outcomeCode(response), error }, logMailbox));
  return { ...response, headers: { ...idHeaders(info), ...response.headers } };
}

/** @param failure of Graph, which may be relayed, or of ours */
function failureAnswer(failure: unknown, info: RequestInfo): ResponseData {
  try {
    if (failure instanceof GraphError) return inGraphShape(relayError(failure.response), info);
    if (failure instanceof RecordConflict) return errorResponse(movedOn(), info, new Date());
    return errorResponse(asServiceError(failure), info, new Date());
  } catch (unrelayable) {
    return errorResponse(asServiceError(unrelayable), info, new Date());
  }
}

/** Outlook's upload host, and the store behind it, write errors without the ids that Graph's clients look for. */
function inGraphShape(response: ResponseData, info: RequestInfo): ResponseData {
  const error = parseBody(response.body);
  const inner = isObject(error) && isObject(error['error']) ? error['error']['innerError'] : undefined;
  if (isObject(inner) && typeof inner['request-id'] === 'string') return response;
  const shaped = storedErrorResponse(uploadFailureOf(response), info, new Date());
  return { ...shaped, headers: { ...response.headers, ...shaped.headers } };
}

function movedOn(): ServiceError {
  return new ServiceError('UploadBusy', 'Another request has moved this upload on meanwhile.');
}

function outcomeCode({ status, body }: ResponseData): string {
  if (status === 201) return 'Created';
  if (status < 300) return 'Succeeded';
  return errorCode(JSON.parse(body)) ?? '';
}

/** @param routes those of the path */
export function methodNotAllowed(routes: readonly { readonly method: string }[]): ServiceError {
  const methods = routes.map(({ method }) => method).join(', ');
  return new ServiceError('MethodNotAllowed', `This path supports ${methods}.`, { headers: { allow: methods } });
}

import type { InvocationContext } from '@azure/functions';
import { type Answer, errorAnswer, errorCode, idHeaders, keptErrorAnswer } from '../answer.ts';
import type { Config } from '../config/config.ts';
import { type Deadline, startDeadline } from '../deadline.ts';
import { asServiceError, ServiceError } from '../errors.ts';
import { parseBody, relayError } from '../graph/relay.ts';
import { isObject } from '../isObject.ts';
import { requestLine } from '../log/requestLine.ts';
import { type OperationName, RequestRecord } from '../log/requestRecord.ts';
import type { IncomingRequest, ReadRequest } from '../request/incomingRequest.ts';
import { type RequestHead, readHead } from '../request/requestHead.ts';
import { UpstreamFailure } from '../transfer/upstreamFailure.ts';
import { UploadConflict } from '../upload/uploadStore.ts';
import { failureOf } from './failureOf.ts';

/** One request under way, as every operation gets it. */
export interface Exchange {
  readonly request: IncomingRequest;
  readonly head: RequestHead;
  readonly deadline: Deadline;
  /** What the log will say; the stages fill it in. */
  readonly record: RequestRecord;
}

export interface OperationFrame {
  readonly operation: OperationName;
  readonly timeoutMs: number;
  readonly logMailbox: Config['logMailbox'];
}

/**
 * Runs one operation inside its deadline and always gives an answer; writes the request's one log line. The caller going
 * away ends the work.
 */
export async function answerOperation(
  read: ReadRequest,
  context: InvocationContext,
  { operation, timeoutMs, logMailbox }: OperationFrame,
  run: (exchange: Exchange) => Promise<Answer>,
): Promise<Answer> {
  const record = new RequestRecord(operation);
  const head = readHead(read.request.headers, context);
  const deadline = startDeadline(timeoutMs);
  let stopWatching = () => {};
  let answer: Answer;
  let error: unknown;
  try {
    if (read.kind === 'faulty') throw read.fault;
    stopWatching = read.request.onCallerGone(deadline.cancel);
    answer = await run({ request: read.request, head, deadline, record });
  } catch (caught) {
    error = caught;
    answer = failureAnswer(caught, head);
  } finally {
    stopWatching();
    deadline.end();
  }
  context.log(requestLine(record, head, { status: answer.status, code: outcomeCode(answer), error }, logMailbox));
  return { ...answer, headers: { ...idHeaders(head), ...answer.headers } };
}

/** @param failure of Graph, which may be relayed, or of ours */
function failureAnswer(failure: unknown, head: RequestHead): Answer {
  try {
    if (failure instanceof UpstreamFailure) return inGraphShape(relayError(failure.answer), head);
    if (failure instanceof UploadConflict) return errorAnswer(movedOn(), head, new Date());
    return errorAnswer(asServiceError(failure), head, new Date());
  } catch (unrelayable) {
    return errorAnswer(asServiceError(unrelayable), head, new Date());
  }
}

/** Outlook's upload host, and the store behind it, write errors without the ids that Graph's clients look for. */
function inGraphShape(answer: Answer, head: RequestHead): Answer {
  const error = parseBody(answer.body);
  const inner = isObject(error) && isObject(error['error']) ? error['error']['innerError'] : undefined;
  if (isObject(inner) && typeof inner['request-id'] === 'string') return answer;
  const shaped = keptErrorAnswer(failureOf(answer), head, new Date());
  return { ...shaped, headers: { ...answer.headers, ...shaped.headers } };
}

function movedOn(): ServiceError {
  return new ServiceError('UploadBusy', 'Another request has moved this upload on meanwhile.');
}

function outcomeCode({ status, body }: Answer): string {
  if (status === 201) return 'Created';
  if (status < 300) return 'Succeeded';
  return errorCode(JSON.parse(body)) ?? '';
}

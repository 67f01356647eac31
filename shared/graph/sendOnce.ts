import type { GraphRequest } from '@microsoft/microsoft-graph-client';
import type { ItemKind } from '../paths/entityModel.ts';
import type { GraphVersion } from '../paths/target.ts';
import type { AttemptResult, GraphAttempt } from './graphAttempt.ts';
import type { GraphClient } from './graphClient.ts';

/** What is called, as spans name it. */
export type GraphOperation = 'createUploadSession' | 'attachments' | 'messages' | 'send' | 'sendMail';

/** All that goes to Graph; nothing of the caller's that is not named here. */
export interface GraphCall {
  readonly operation: GraphOperation;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Sent once, whatever the response: nobody knows whether a call that was lost has been done. */
  readonly isSentOnce?: true;
  /** Of a call that must not be done twice: looks whether it has been done. Absent where a second time does no harm. */
  readonly isDone?: () => Promise<boolean>;
  readonly kind: ItemKind;
  readonly version: GraphVersion;
  /** Already encoded; begins with a slash. */
  readonly path: string;
  /** JSON, unless `contentType` says otherwise. */
  readonly body?: string;
  readonly contentType?: 'text/plain';
  readonly token: string;
  readonly clientRequestId: string;
  readonly wantsImmutableIds: boolean;
  readonly traceParent: string | undefined;
}

/**
 * One attempt: sends through the SDK and gives back what came of it.
 *
 * @throws the signal's reason
 */
export async function sendOnce(
  { client, raw }: GraphClient,
  call: GraphCall,
  attempt: GraphAttempt,
): Promise<AttemptResult> {
  const request = client
    .api(call.path)
    .version(call.version)
    .headers(toHeaders(call))
    .middlewareOptions([attempt])
    .responseType(raw);
  await perform(request, call);
  attempt.signal.throwIfAborted();
  if (attempt.result === undefined) throw new TypeError('The HTTP handler left no result.');
  return attempt.result;
}

/** Graph demands `Content-Length: 0` of a POST without a body, such as /send; an empty text is sent so. */
function perform(request: GraphRequest, { method, body = '' }: GraphCall): Promise<unknown> {
  if (method === 'GET') return request.get();
  if (method === 'DELETE') return request.delete();
  return method === 'PATCH' ? request.patch(body) : request.post(body);
}

function toHeaders(call: GraphCall): Record<string, string> {
  return {
    Authorization: `Bearer ${call.token}`,
    ...(call.body !== undefined && { 'Content-Type': call.contentType ?? 'application/json' }),
    Accept: 'application/json',
    'client-request-id': call.clientRequestId,
    ...(call.wantsImmutableIds && { Prefer: 'IdType="ImmutableId"' }),
    ...(call.traceParent !== undefined && { traceparent: call.traceParent }),
  };
}

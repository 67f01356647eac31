import type { ItemKind } from '../paths/entityModel.ts';
import type { GraphVersion } from '../paths/target.ts';
import type { AttemptResult, GraphAttempt } from './graphAttempt.ts';
import type { GraphClient } from './graphClient.ts';

/** What is called, as spans name it. */
export type GraphOperation = 'createUploadSession' | 'attachments';

/** All that goes to Graph; nothing of the caller's that is not named here. */
export interface GraphCall {
  readonly operation: GraphOperation;
  readonly method: 'GET' | 'POST';
  /** Of a call that must not be done twice: looks whether it has been done. Absent where a second time does no harm. */
  readonly isDone?: () => Promise<boolean>;
  readonly kind: ItemKind;
  readonly version: GraphVersion;
  /** Already encoded; begins with a slash. */
  readonly path: string;
  /** JSON; absent with GET. */
  readonly body?: string;
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
  await (call.method === 'GET' ? request.get() : request.post(call.body));
  attempt.signal.throwIfAborted();
  if (attempt.result === undefined) throw new TypeError('The HTTP handler left no result.');
  return attempt.result;
}

function toHeaders(call: GraphCall): Record<string, string> {
  return {
    Authorization: `Bearer ${call.token}`,
    ...(call.body !== undefined && { 'Content-Type': 'application/json' }),
    Accept: 'application/json',
    'client-request-id': call.clientRequestId,
    ...(call.wantsImmutableIds && { Prefer: 'IdType="ImmutableId"' }),
    ...(call.traceParent !== undefined && { traceparent: call.traceParent }),
  };
}

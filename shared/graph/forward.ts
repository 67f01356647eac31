import type { ItemKind } from '../route/entityModel.ts';
import type { GraphVersion } from '../route/target.ts';
import type { AttemptResult, Exchange } from './exchange.ts';
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
export async function forward(
  { client, raw }: GraphClient,
  call: GraphCall,
  exchange: Exchange,
): Promise<AttemptResult> {
  const request = client
    .api(call.path)
    .version(call.version)
    .headers(toHeaders(call))
    .middlewareOptions([exchange])
    .responseType(raw);
  await (call.method === 'GET' ? request.get() : request.post(call.body));
  exchange.signal.throwIfAborted();
  if (exchange.result === undefined) throw new TypeError('The HTTP handler left no result.');
  return exchange.result;
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

import { type Client, ResponseType } from '@microsoft/microsoft-graph-client';
import type { ItemKind } from '../route/entityModel.ts';
import type { GraphVersion } from '../route/target.ts';
import { Exchange, type UpstreamAnswer } from './exchange.ts';

/** All that goes to Graph; nothing of the caller's that is not named here. */
export interface GraphCall {
  readonly kind: ItemKind;
  readonly version: GraphVersion;
  /** Already encoded; begins with a slash. */
  readonly path: string;
  readonly json: string;
  readonly token: string;
  readonly clientRequestId: string;
  readonly wantsImmutableIds: boolean;
  readonly traceParent: string | undefined;
}

/**
 * One attempt: posts through the SDK and gives back whatever Graph answered, whole.
 *
 * @throws TransportError, or the signal's reason
 */
export async function forward(client: Client, call: GraphCall, signal: AbortSignal): Promise<UpstreamAnswer> {
  const exchange = new Exchange(signal);
  try {
    await client
      .api(call.path)
      .version(call.version)
      .headers(toHeaders(call))
      .middlewareOptions([exchange])
      .responseType(ResponseType.RAW)
      .post(call.json);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
  if (exchange.answer === undefined) throw new TypeError('The HTTP handler left no answer.');
  return exchange.answer;
}

function toHeaders(call: GraphCall): Record<string, string> {
  return {
    Authorization: `Bearer ${call.token}`,
    'Content-Type': 'application/json',
    Accept: 'application/json',
    'client-request-id': call.clientRequestId,
    ...(call.wantsImmutableIds && { Prefer: 'IdType="ImmutableId"' }),
    ...(call.traceParent !== undefined && { traceparent: call.traceParent }),
  };
}

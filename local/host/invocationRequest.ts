import { randomBytes, randomUUID } from 'node:crypto';
import type { InvocationRequest, NullableMap } from './messages.ts';
import type { RequestHeaders } from './requestHeaders.ts';
import { encodePath, type RequestTarget } from './requestTarget.ts';
import type { RouteMatch } from './router.ts';
import { createTriggerMetadata } from './triggerMetadata.ts';

/** A call of a streaming app: the message holds trigger metadata alone, the request itself goes to the app's `HttpUri`. */
export function createStreamInvocation(
  headers: RequestHeaders,
  target: RequestTarget,
  match: RouteMatch,
  body: Uint8Array | undefined,
): InvocationRequest {
  const { called } = match;
  return {
    ...createCall(called.id, headers),
    inputData: [{ name: called.triggerName, data: {} }],
    triggerMetadata: createTriggerMetadata(headers, target.query, match, body),
  };
}

/** A call of a buffered app: everything is in the message (Azure Functions host: GrpcMessageConversionExtensions). */
export function createBufferedInvocation(
  method: string,
  headers: RequestHeaders,
  target: RequestTarget,
  { called, parameters }: RouteMatch,
  body: Uint8Array | undefined,
): InvocationRequest {
  const http = {
    method,
    url: `http://${headers.get('host')?.[0] ?? ''}${encodePath(target.path)}${target.query}`,
    nullableHeaders: toNullableMap([...headers].map(([name, values]) => [name, values.join(',')])),
    nullableQuery: toNullableMap(joinQuery(target.query)),
    nullableParams: toNullableMap(Object.entries(parameters)),
    ...(body !== undefined && { body: { bytes: body } }),
  };
  return {
    ...createCall(called.id, headers),
    inputData: [{ name: called.triggerName, data: { http } }],
    triggerMetadata: {},
  };
}

/** What every call has. The trace goes on from the caller's, where there is one. */
export function createCall(functionId: string, headers: RequestHeaders = new Map()) {
  const incoming = /^00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})$/.exec(headers.get('traceparent')?.join(',') ?? '');
  const [traceId, flags] = incoming === null ? [randomBytes(16).toString('hex'), '00'] : [incoming[1], incoming[2]];
  return {
    invocationId: randomUUID(),
    functionId,
    traceContext: {
      traceParent: `00-${traceId}-${randomBytes(8).toString('hex')}-${flags}`,
      traceState: headers.get('tracestate')?.join(',') ?? '',
      attributes: {},
    },
  };
}

type Pairs = readonly (readonly [name: string, value: string])[];

/** ASP.NET Core compares names of the query ignoring case; the first spelling stays. */
function joinQuery(query: string): Pairs {
  const joined = new Map<string, readonly [string, string]>();
  for (const [name, value] of new URLSearchParams(query)) {
    const [spelling, before] = joined.get(name.toLowerCase()) ?? [name];
    joined.set(name.toLowerCase(), [spelling, before === undefined ? value : `${before},${value}`]);
  }
  return [...joined.values()];
}

function toNullableMap(pairs: Pairs): NullableMap {
  return Object.fromEntries(pairs.map(([name, value]) => [name, { value }]));
}

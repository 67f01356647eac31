import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { InvocationRequest, NullableMap, TypedData } from './messages.ts';
import { encodePath, type RequestTarget } from './requestTarget.ts';
import type { RouteMatch } from './router.ts';

/** A call of a streaming app: parameters and headers are trigger metadata, the request itself goes to the app's `HttpUri`. */
export function createStreamInvocation(
  request: IncomingMessage,
  { called, parameters }: RouteMatch,
): InvocationRequest {
  const triggerMetadata: Record<string, TypedData> = {
    Headers: { json: JSON.stringify(Object.fromEntries(joinHeaders(request))) },
  };
  for (const [name, value] of Object.entries(parameters)) {
    triggerMetadata[name] = { string: value };
  }
  return { ...createCall(request, called.id), inputData: [{ name: called.triggerName, data: {} }], triggerMetadata };
}

/** A call of a buffered app: everything is in the message (Azure Functions host: GrpcMessageConversionExtensions). */
export function createBufferedInvocation(
  request: IncomingMessage,
  target: RequestTarget,
  { called, parameters }: RouteMatch,
  body: Uint8Array | undefined,
): InvocationRequest {
  const http = {
    method: request.method ?? '',
    url: `http://${request.headers.host ?? ''}${encodePath(target.path)}${target.query}`,
    nullableHeaders: toNullableMap(joinHeaders(request)),
    nullableQuery: toNullableMap(joinQuery(target.query)),
    nullableParams: toNullableMap(Object.entries(parameters)),
    ...(body !== undefined && { body: { bytes: body } }),
  };
  return {
    ...createCall(request, called.id),
    inputData: [{ name: called.triggerName, data: { http } }],
    triggerMetadata: {},
  };
}

function createCall(request: IncomingMessage, functionId: string) {
  const incoming = /^00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})$/.exec(String(request.headers['traceparent'] ?? ''));
  const [traceId, flags] = incoming === null ? [randomBytes(16).toString('hex'), '00'] : [incoming[1], incoming[2]];
  return {
    invocationId: randomUUID(),
    functionId,
    traceContext: {
      traceParent: `00-${traceId}-${randomBytes(8).toString('hex')}-${flags}`,
      traceState: String(request.headers['tracestate'] ?? ''),
      attributes: {},
    },
  };
}

type Pairs = readonly (readonly [name: string, value: string])[];

/** A header sent twice is one value with a comma and no blank, as StringValues joins it. */
function joinHeaders(request: IncomingMessage): Pairs {
  return Object.entries(request.headersDistinct).map(([name, values = []]) => [name, values.join(',')]);
}

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

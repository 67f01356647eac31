import { randomBytes, randomUUID } from 'node:crypto';
import { addMembers, type BindingData, CaseInsensitiveMap, toMetadata } from './bindingData.ts';
import type { RequestHeaders } from './headers.ts';
import type { InvocationRequest, NullableMap, TypedData } from './messages.ts';
import { encodePath, type RequestTarget } from './requestTarget.ts';
import type { RouteMatch } from './router.ts';

type Pairs = readonly (readonly [name: string, value: string])[];

/** A call of a streaming app: the message holds trigger metadata only, the request itself goes to the app's `HttpUri`. */
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
    nullableHeaders: toNullableMap(joinHeaders(headers)),
    nullableQuery: toNullableMap(readQuery(target.query, (before, value) => `${before},${value}`)),
    nullableParams: toNullableMap(Object.entries(parameters)),
    ...(body !== undefined && { body: { bytes: body } }),
  };
  return {
    ...createCall(called.id, headers),
    inputData: [{ name: called.triggerName, data: { http } }],
    triggerMetadata: {},
  };
}

/** The part that every call has. It continues the caller's trace, if there is one. */
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

/**
 * The metadata of an HTTP trigger for a streaming worker: the members of a JSON body, the query, the route and the headers,
 * in one map. A body or a query with a member `Headers` replaces the headers.
 * (azure-webjobs-sdk-extensions: HttpTriggerAttributeBindingProvider.GetRequestBindingData)
 */
function createTriggerMetadata(
  headers: RequestHeaders,
  query: string,
  { called, parameters }: RouteMatch,
  body: Uint8Array | undefined,
): Record<string, TypedData> {
  const data: BindingData = new CaseInsensitiveMap();
  if (body !== undefined && mayBeObject(body)) addMembers(data, decodeText(body));
  const queryParameters = readQuery(query, (_, value) => value);
  for (const [name, value] of queryParameters) {
    if (name.toLowerCase() !== 'code') data.set(name, { string: value });
  }
  for (const segment of called.template) {
    if (segment.kind !== 'literal') {
      const value = parameters[segment.name];
      data.set(segment.name, value === undefined ? undefined : { string: value });
    }
  }
  for (const [name, pairs] of [
    ['Query', queryParameters],
    ['Headers', joinHeaders(headers)],
  ] as const) {
    if (!data.has(name)) data.set(name, { json: JSON.stringify(Object.fromEntries(pairs)) });
  }
  return toMetadata(data);
}

/** ASP.NET Core compares names of the query ignoring case. `merge` says what a repeated parameter becomes. */
function readQuery(query: string, merge: (before: string, value: string) => string): Pairs {
  const parameters = new CaseInsensitiveMap<string>();
  for (const [name, value] of new URLSearchParams(query)) {
    const before = parameters.get(name);
    parameters.set(name, before === undefined ? value : merge(before, value));
  }
  return parameters.entries();
}

function joinHeaders(headers: RequestHeaders): Pairs {
  return [...headers].map(([name, values]) => [name, values.join(',')]);
}

/** Decides by the first bytes: decoding a file of many megabytes that is not UTF-8 takes a tenth of a second. */
function mayBeObject(body: Uint8Array): boolean {
  const start = decodeText(body.subarray(0, 256)).trimStart();
  return start === '' || start.startsWith('{');
}

/** UTF-8, unless a byte order mark says UTF-16. */
function decodeText(bytes: Uint8Array): string {
  const mark = Buffer.from(bytes.subarray(0, 2)).toString('hex');
  const encoding = mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding).decode(bytes);
}

function toNullableMap(pairs: Pairs): NullableMap {
  return Object.fromEntries(pairs.map(([name, value]) => [name, { value }]));
}

import { createBindingData, mixInMembers, toMetadata } from './bindingData.ts';
import { CaseInsensitiveMap } from './caseInsensitiveMap.ts';
import type { TypedData } from './messages.ts';
import type { RequestHeaders } from './requestHeaders.ts';
import type { RouteMatch } from './router.ts';

/**
 * What the host says to a streaming worker about an HTTP trigger: members of a JSON body, the query, the route and the
 * headers, one after another into one bag. A body or a query that names `Headers` puts its own in their place.
 * (azure-webjobs-sdk-extensions: HttpTriggerAttributeBindingProvider.GetRequestBindingData)
 */
export function createTriggerMetadata(
  headers: RequestHeaders,
  query: string,
  { called, parameters }: RouteMatch,
  body: Uint8Array | undefined,
): Record<string, TypedData> {
  const data = createBindingData();
  if (body !== undefined && mayBeObject(body)) {
    mixInMembers(data, decodeText(body));
  }
  const queryParameters = readQuery(query);
  for (const [name, value] of queryParameters) {
    if (name.toLowerCase() !== 'code') {
      data.set(name, { string: value });
    }
  }
  for (const segment of called.template) {
    if (segment.kind !== 'literal') {
      const value = parameters[segment.name];
      data.set(segment.name, value === undefined ? undefined : { string: value });
    }
  }
  if (!data.has('Query')) {
    data.set('Query', { json: JSON.stringify(Object.fromEntries(queryParameters)) });
  }
  if (!data.has('Headers')) {
    const joined = [...headers].map(([name, values]) => [name, values.join(',')]);
    data.set('Headers', { json: JSON.stringify(Object.fromEntries(joined)) });
  }
  return toMetadata(data);
}

/** Of a parameter that is sent twice the last value counts. */
function readQuery(query: string): readonly (readonly [string, string])[] {
  const parameters = new CaseInsensitiveMap<string>();
  for (const [name, value] of new URLSearchParams(query)) {
    parameters.set(name, value);
  }
  return parameters.entries();
}

/** Decides by the first bytes: to decode a file of many megabytes that is not UTF-8 takes a tenth of a second. */
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

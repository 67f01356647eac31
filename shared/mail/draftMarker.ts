import { isObject } from '../common/isObject.ts';

/** The namespace of the proxy's extended properties. A change would lock callers out of their drafts. */
const NAMESPACE = '86b177b6-b150-4bcf-bf29-d084960f3b06';
const NAME = 'GraphUploadSessionProxyCaller';

/** Id of the single-value extended property that names the caller who made a draft. */
export const MARKER_ID = `String {${NAMESPACE}} Name ${NAME}`;

export function callerMarker(callerName: string): { readonly id: string; readonly value: string } {
  return { id: MARKER_ID, value: callerName };
}

/** Whether an id names the marker, in any spelling that Exchange takes: it ignores case, and Graph shortens ids that it returns. */
export function isMarker(id: unknown): boolean {
  return typeof id === 'string' && id.toLowerCase().includes(NAMESPACE);
}

/** The value of `$expand` with which Graph shows the marker. */
export function markerExpand(): string {
  return `singleValueExtendedProperties($filter=id eq '${MARKER_ID}')`;
}

/** The value of `$filter` for the messages of a caller. Exchange compares the value without case: check isOurs on each. */
export function markerFilter(callerName: string): string {
  const value = callerName.replaceAll("'", "''");
  return `singleValueExtendedProperties/Any(ep: ep/id eq '${MARKER_ID}' and ep/value eq '${value}')`;
}

/** Whether a message that Graph returned with markerExpand was made for this caller. */
export function isOurs(message: unknown, callerName: string): boolean {
  const properties = isObject(message) ? message['singleValueExtendedProperties'] : undefined;
  const markers = Array.isArray(properties) ? properties.filter((it) => isObject(it) && isMarker(it['id'])) : [];
  return markers.length === 1 && isObject(markers[0]) && markers[0]['value'] === callerName;
}

import type { HttpRequestParams } from '@azure/functions';
import type { ParsedRequest } from '../shared/server/request.ts';

/**
 * The value that the platform's routing found; undefined where the route has none. A member of a body, or of the query, with
 * the parameter's name in other letter case cannot change the value, but its spelling is the one that the host keeps
 * (azure-webjobs-sdk-extensions, HttpTriggerAttributeBindingProvider.GetRequestBindingData).
 *
 * @param name in lower case
 */
export function routeParameter(params: HttpRequestParams, name: string): string | undefined {
  return Object.entries(params).find(([spelling]) => spelling.toLowerCase() === name)?.[1];
}

/**
 * The path below the route prefix, as the platform's routing gives it: the host escapes the decoded path once more before it
 * forwards a request, so decoding it once gives the routed path. For a host that sends no route values.
 *
 * @param prefix of host.json, such as `api`; empty if there is none
 */
export function pathBelowPrefix(read: ParsedRequest, prefix: string): string {
  if (read.kind !== 'read') return '';
  const prefixSegments = prefix.split('/').filter(Boolean).length;
  const path = read.request.url.pathname
    .split('/')
    .slice(1 + prefixSegments)
    .join('/');
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // Not from the host, which forwards valid escapes only.
  }
}

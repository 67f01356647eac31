import type { HttpRequestParams } from '@azure/functions';

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

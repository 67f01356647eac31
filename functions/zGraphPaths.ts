import type { HttpMethod } from '@azure/functions';
import type { RequestMatcher } from '../shared/server/requestMatcher.ts';
import type { Service } from '../shared/service.ts';
import type { Platform } from './platform.ts';
import { pathBelowPrefix, routeParameter } from './routeParameter.ts';
import { toHttpResponse } from './toHttpResponse.ts';

/**
 * The platform gives a request to the first function by name whose route fits; more specific routes count for nothing
 * (Azure Functions host, issue 9876). This one owns what no other function owns, so its name must sort last.
 */
export const FUNCTION_NAME = 'zGraphPaths';

/** All that an API has a use for. TRACE and CONNECT are left to the platform, which answers 404. */
const METHODS: HttpMethod[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Registers the owner of every path and method below the prefix that no other function owns: its 404 and 405 are Graph-shaped. */
export function registerGraphPaths(
  { http }: Platform,
  service: Service,
  requests: RequestMatcher,
  readPrefix: () => string,
): void {
  http(FUNCTION_NAME, {
    methods: METHODS,
    authLevel: service.authLevel,
    route: '{*path}',
    handler: async ({ params }, context) => {
      const request = requests.taken(context.invocationId);
      const path = routeParameter(params, 'path') ?? pathBelowPrefix(request, readPrefix());
      return toHttpResponse(await service.handleGraphPath(request, path, context));
    },
  });
}

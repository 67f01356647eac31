import type { RequestMatcher } from '../shared/server/requestMatcher.ts';
import type { Service } from '../shared/service.ts';
import type { Platform } from './platform.ts';
import { toHttpResponse } from './toHttpResponse.ts';

/**
 * Answers the preflights of browser pages on every path. A preflight carries no key and no token, so the function is anonymous.
 * The platform gives a request to the first function by name whose route and method match: this name sorts before all functions
 * that take OPTIONS. Not registered if no origin is allowed.
 */
export function registerPreflight(
  { http }: Platform,
  service: Pick<Service, 'corsAllowedOrigins' | 'handlePreflight'>,
  requests: RequestMatcher,
): void {
  if (service.corsAllowedOrigins.length === 0) return;
  http('preflight', {
    methods: ['OPTIONS'],
    authLevel: 'anonymous',
    route: '{*path}',
    handler: async (_request, context) =>
      toHttpResponse(service.handlePreflight(requests.taken(context.invocationId), context)),
  });
}

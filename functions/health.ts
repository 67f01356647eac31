import { liveness, readiness } from '../shared/health.ts';
import type { RequestMatcher } from '../shared/server/requestMatcher.ts';
import type { Service } from '../shared/service.ts';
import type { Platform } from './platform.ts';
import { toHttpResponse } from './toHttpResponse.ts';

/** `GET /api/health` for load balancers, open to all; `GET /api/health/ready` for operators, behind a key. */
export function registerHealth(
  { http }: Platform,
  service: Service,
  requests: Pick<RequestMatcher, 'unmatched'>,
): void {
  http('health', {
    methods: ['GET', 'HEAD'],
    authLevel: 'anonymous',
    route: 'health',
    handler: async () => toHttpResponse(liveness(service)),
  });
  http('healthReady', {
    methods: ['GET'],
    authLevel: 'function',
    route: 'health/ready',
    handler: async () => toHttpResponse(await readiness(service, requests)),
  });
}

import type { HttpMethod } from '@azure/functions';
import { URL_PATHS, type UrlKind } from '../shared/routes.ts';
import type { RequestMatcher } from '../shared/server/requestMatcher.ts';
import type { Service } from '../shared/service.ts';
import type { Platform } from './platform.ts';
import { pathBelowPrefix, routeParameter } from './routeParameter.ts';
import { toHttpResponse } from './toHttpResponse.ts';

/** All of them, so that the 405 of an unsupported method is in Graph's shape. */
const METHODS: HttpMethod[] = ['PUT', 'PATCH', 'GET', 'DELETE', 'HEAD', 'POST', 'OPTIONS'];

/**
 * `/api/uploadSessions/{id}`, which takes the bytes of uploads, and `/api/jobs/{id}`. Open to all at the platform: the id is the
 * credential, and stock upload clients send no other (docs/api/upload-sessions.md).
 */
export function registerUploadUrls(
  { http }: Platform,
  service: Service,
  requests: RequestMatcher,
  readPrefix: () => string,
): void {
  const register = (name: string, kind: UrlKind) =>
    http(name, {
      methods: METHODS,
      authLevel: 'anonymous',
      route: `${URL_PATHS[kind]}/{id}`,
      handler: async ({ params }, context) => {
        const request = requests.taken(context.invocationId);
        const id = routeParameter(params, 'id') ?? pathBelowPrefix(request, readPrefix()).split('/')[1] ?? '';
        return toHttpResponse(await service.handleUrl(request, kind, id, context));
      },
    });
  register('job', 'job');
  register('uploadSession', 'upload');
}

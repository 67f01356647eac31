import type { RequestMatcher } from '../shared/server/requestMatcher.ts';
import type { Service } from '../shared/service.ts';
import type { Platform } from './platform.ts';
import { pathBelowPrefix, routeParameter } from './routeParameter.ts';
import { toHttpResponse } from './toHttpResponse.ts';

/**
 * `/api/uploadSessions/{id}`, where the bytes of uploads come in. Open to all at the platform: the id is the credential, and
 * stock upload clients send no other (docs/api/upload-sessions.md).
 */
export function registerUploadSession(
  { http }: Platform,
  service: Service,
  requests: RequestMatcher,
  readPrefix: () => string,
): void {
  http('uploadSession', {
    methods: ['PUT', 'PATCH', 'GET', 'DELETE', 'HEAD', 'POST', 'OPTIONS'],
    authLevel: 'anonymous',
    route: 'uploadSessions/{id}',
    handler: async ({ params }, context) => {
      const request = requests.taken(context.invocationId);
      const id = routeParameter(params, 'id') ?? pathBelowPrefix(request, readPrefix()).split('/')[1] ?? '';
      return toHttpResponse(await service.handleUpload(request, id, context));
    },
  });
}

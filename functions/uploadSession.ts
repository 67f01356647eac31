import { app } from '@azure/functions';
import type { ProxiedRequests } from '../shared/request/proxiedRequests.ts';
import type { Service } from '../shared/service.ts';
import { routeParameter } from './routeParameter.ts';
import { toHttpResponse } from './toHttpResponse.ts';

/**
 * `/api/uploadSessions/{id}`, where the bytes of uploads come in. Open to all at the platform: the id is the credential, and
 * stock upload clients send no other (docs/uploads.md).
 */
export function registerUploadSession(service: Service, requests: ProxiedRequests): void {
  app.http('uploadSession', {
    methods: ['PUT', 'PATCH', 'GET', 'DELETE', 'HEAD', 'POST', 'OPTIONS'],
    authLevel: 'anonymous',
    route: 'uploadSessions/{id}',
    handler: async ({ params }, context) => {
      const request = requests.taken(context.invocationId);
      return toHttpResponse(await service.answerUpload(request, routeParameter(params, 'id') ?? '', context));
    },
  });
}

import type { InvocationContext } from '@azure/functions';
import type { Dependencies } from './dependencies.ts';
import { ServiceError } from './errors.ts';
import { handleRequest, methodNotAllowed } from './handleRequest.ts';
import { URL_HANDLERS } from './handlers.ts';
import { type UrlKind, urlRoutes } from './routes.ts';
import { hasContentCoding } from './server/contentCoding.ts';
import type { IncomingRequest, ParsedRequest } from './server/request.ts';
import type { ResponseData } from './server/response.ts';

/**
 * Handles a request on a URL of an upload or a job. The URL is the credential, as Graph's own uploadUrl is: no key and no token
 * is checked, and none is sent on. If an upload acts for a user, Graph gets that user's token, which must come with the request.
 */
export function handleUrl(
  read: ParsedRequest,
  kind: UrlKind,
  id: string,
  context: InvocationContext,
  dependencies: Dependencies,
): Promise<ResponseData> {
  const routes = urlRoutes(kind);
  const route = routes.find(({ method }) => read.kind === 'read' && method === read.request.method);
  const { operation } = route ?? { operation: kind === 'job' ? 'getJob' : 'getUpload' };
  const { uploadTimeoutMs, logMailbox } = dependencies.config;
  return handleRequest(read, context, { operation, timeoutMs: uploadTimeoutMs, logMailbox }, async (context) => {
    refuseContentCoding(context.request);
    if (route === undefined) throw methodNotAllowed(routes);
    return URL_HANDLERS[route.operation](context, id, dependencies);
  });
}

/** Comes first: an encoded body has another size than its range, and the caller must get the reason, not the mismatch. */
function refuseContentCoding({ headers }: IncomingRequest): void {
  if (!hasContentCoding(headers)) return;
  const message = 'Content-Encoding is not supported at an upload; send the bytes of the range as they are.';
  throw new ServiceError('UnsupportedMediaType', message);
}

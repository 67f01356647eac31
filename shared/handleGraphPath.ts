import type { InvocationContext } from '@azure/functions';
import { callerName } from './access/evaluatePolicy.ts';
import type { Dependencies } from './dependencies.ts';
import { handleRequest, methodNotAllowed } from './handleRequest.ts';
import { GRAPH_HANDLERS } from './handlers.ts';
import { parsePath } from './paths/parsePath.ts';
import type { GraphPath } from './paths/target.ts';
import { graphRoutes } from './routes.ts';
import type { ParsedRequest } from './server/request.ts';
import type { ResponseData } from './server/response.ts';

/**
 * Handles a request on a path of Graph's, below the route prefix and decoded once. Cheap checks come first: nothing is requested
 * from the token endpoint or from Graph before the caller is known and the policy has allowed the request.
 */
export function handleGraphPath(
  read: ParsedRequest,
  path: string,
  context: InvocationContext,
  dependencies: Dependencies,
): Promise<ResponseData> {
  const { config, authenticator, policy } = dependencies;
  const parsed = tryParse(path);
  const routes = parsed.kind === 'path' ? graphRoutes(parsed.path.suffix) : [];
  const route = routes.find(({ method }) => read.kind === 'read' && method === read.request.method);
  const { operation, timeout } = route ??
    routes[0] ?? { operation: 'createUploadSession', timeout: 'requestTimeoutMs' };
  const frame = { operation, timeoutMs: config[timeout], logMailbox: config.logMailbox };
  return handleRequest(read, context, frame, async (context) => {
    const { request, deadline, logEntry } = context;
    const caller = await authenticator.authenticate(request.headers.get('authorization'), deadline.signal);
    logEntry.endStage('authenticate');
    logEntry.caller = callerName(policy, caller);
    if (parsed.kind === 'error') throw parsed.error;
    logEntry.addTarget(parsed.path);
    if (route === undefined) throw methodNotAllowed(routes);
    return GRAPH_HANDLERS[route.operation](context, caller, parsed.path, dependencies);
  });
}

type Parsed = { readonly kind: 'path'; readonly path: GraphPath } | { readonly kind: 'error'; readonly error: unknown };

/** The path decides the timeout, but only a caller that is known is told what is wrong with it. */
function tryParse(path: string): Parsed {
  try {
    return { kind: 'path', path: parsePath(path) };
  } catch (error) {
    return { kind: 'error', error };
  }
}

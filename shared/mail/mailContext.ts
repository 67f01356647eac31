import { authorizeRequest, type Grant } from '../access/authorizeRequest.ts';
import type { AuthenticatedCaller } from '../access/caller.ts';
import { tokensFor } from '../access/tokensFor.ts';
import type { Deadline } from '../common/deadline.ts';
import type { Dependencies, RequestContext } from '../dependencies.ts';
import { createMessagesApi, type MessagesApi } from '../graph/messagesApi.ts';
import type { GraphPath } from '../paths/target.ts';
import type { PolicyOperation } from '../routes.ts';
import type { TokenSource } from '../tokens/tokenSource.ts';

/** What the operations on mail work with, for one request. */
export interface MailContext {
  readonly request: RequestContext;
  readonly caller: AuthenticatedCaller;
  /** As the policy and the marker name it. */
  readonly callerName: string;
  readonly path: GraphPath;
  readonly operation: PolicyOperation;
  readonly grant: Grant;
  readonly tokens: TokenSource;
  readonly dependencies: Dependencies;
}

/** @throws ServiceError CallerNotAllowed, MailboxNotNamed */
export function openMail(
  request: RequestContext,
  caller: AuthenticatedCaller,
  path: GraphPath,
  operation: PolicyOperation,
  dependencies: Dependencies,
): MailContext {
  const { logEntry } = request;
  const grant = authorizeRequest(dependencies.policy, caller, path, { operation, sizeBytes: undefined }, logEntry);
  const tokens = tokensFor(grant.actsAs, caller, dependencies);
  return { request, caller, callerName: logEntry.caller ?? '', path, operation, grant, tokens, dependencies };
}

/** @param deadline another than the request's, for work that its caller must not cancel */
export async function messagesOf(
  { request: { info, logEntry, deadline: own }, path, grant, tokens, dependencies }: MailContext,
  deadline: Deadline = own,
): Promise<MessagesApi> {
  return createMessagesApi({
    graphHttp: await dependencies.graphHttp(),
    owner: grant.owner,
    version: path.version,
    call: { clientRequestId: info.clientRequestId, traceParent: info.traceParent },
    context: { tokens, deadline, logEntry },
  });
}

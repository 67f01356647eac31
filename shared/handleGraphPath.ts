import type { InvocationContext } from '@azure/functions';
import { callerName } from './access/evaluatePolicy.ts';
import { attach } from './attach/attach.ts';
import type { Dependencies } from './dependencies.ts';
import { ServiceError } from './errors.ts';
import { handleRequest } from './handleRequest.ts';
import type { LogEntry } from './logging/logEntry.ts';
import { parsePath } from './paths/parsePath.ts';
import type { GraphPath, Target } from './paths/target.ts';
import type { ParsedRequest } from './server/request.ts';
import type { ResponseData } from './server/response.ts';
import { createUploadSession } from './sessions/createUploadSession.ts';

/**
 * Answers a request on one of Graph's own paths, below the route prefix and decoded once: who calls, what is named, what is
 * asked. Cheap checks come first; nothing is asked of the token endpoint or of Graph before the caller is known and the
 * policy has admitted what is asked.
 */
export function handleGraphPath(
  read: ParsedRequest,
  path: string,
  context: InvocationContext,
  dependencies: Dependencies,
): Promise<ResponseData> {
  const { config, authenticator, policy } = dependencies;
  const parsed = tryParse(path);
  const operation = 'fault' in parsed ? 'createUploadSession' : parsed.target.action;
  const timeoutMs = operation === 'attach' ? config.attachTimeoutMs : config.requestTimeoutMs;
  const frame = { operation, timeoutMs, logMailbox: config.logMailbox };
  return handleRequest(read, context, frame, async (context) => {
    const { request, deadline, logEntry } = context;
    const caller = await authenticator.authenticate(request.headers.get('authorization'), deadline.signal);
    logEntry.endStage('authenticate');
    logEntry.caller = callerName(policy, caller);
    if ('fault' in parsed) throw parsed.fault;
    const { target } = parsed;
    note(logEntry, target);
    requirePost(request.method);
    const operate = target.action === 'attach' ? attach : createUploadSession;
    return operate(context, caller, target, dependencies);
  });
}

/** The path decides how much time there is; what is wrong with it is said to those alone who may call. */
function tryParse(path: string): { readonly target: GraphPath } | { readonly fault: unknown } {
  try {
    return { target: parsePath(path) };
  } catch (fault) {
    return { fault };
  }
}

function requirePost(method: string): void {
  if (method === 'POST') return;
  throw new ServiceError('MethodNotAllowed', 'Files are attached, and upload sessions opened, with POST.', {
    headers: { allow: 'POST' },
  });
}

function note(logEntry: LogEntry, { kind, owner }: Target): void {
  logEntry.kind = kind;
  if (owner.kind === 'group') logEntry.group = owner.id;
  else if (owner.kind === 'mailbox') logEntry.mailbox = owner.id;
}

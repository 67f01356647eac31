import type { InvocationContext } from '@azure/functions';
import type { Answer } from '../answer.ts';
import { callerName } from '../caller/authorize.ts';
import { ServiceError } from '../errors.ts';
import type { RequestRecord } from '../log/requestRecord.ts';
import type { ReadRequest } from '../request/incomingRequest.ts';
import { parsePath } from '../route/parsePath.ts';
import type { GraphPath, Target } from '../route/target.ts';
import { answerOperation } from './answerOperation.ts';
import { attach } from './attach.ts';
import type { Collaborators } from './collaborators.ts';
import { openUploadSession } from './openUploadSession.ts';

/**
 * Answers a request on one of Graph's own paths, below the route prefix and decoded once: who calls, what is named, what is
 * asked. Cheap checks come first; nothing is asked of the token endpoint or of Graph before the caller is known and the
 * policy has admitted what is asked.
 */
export function answerGraphPath(
  read: ReadRequest,
  path: string,
  context: InvocationContext,
  collaborators: Collaborators,
): Promise<Answer> {
  const { config, authenticator, policy } = collaborators;
  const parsed = tryParse(path);
  const operation = 'fault' in parsed ? 'createUploadSession' : parsed.target.action;
  const timeoutMs = operation === 'attach' ? config.attachTimeoutMs : config.requestTimeoutMs;
  const frame = { operation, timeoutMs, logMailbox: config.logMailbox };
  return answerOperation(read, context, frame, async (exchange) => {
    const { request, deadline, record } = exchange;
    const caller = await authenticator.authenticate(request.headers.get('authorization'), deadline.signal);
    record.endStage('authenticate');
    record.caller = callerName(policy, caller);
    if ('fault' in parsed) throw parsed.fault;
    const { target } = parsed;
    note(record, target);
    requirePost(request.method);
    const operate = target.action === 'attach' ? attach : openUploadSession;
    return operate(exchange, caller, target, collaborators);
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

function note(record: RequestRecord, { kind, owner }: Target): void {
  record.kind = kind;
  if (owner.kind === 'group') record.group = owner.id;
  else if (owner.kind === 'mailbox') record.mailbox = owner.id;
}

import type { InvocationContext } from '@azure/functions';
import type { Answer } from '../answer.ts';
import { callerName } from '../caller/authorize.ts';
import { ServiceError } from '../errors.ts';
import type { RequestRecord } from '../log/requestRecord.ts';
import type { ReadRequest } from '../request/incomingRequest.ts';
import { parsePath } from '../route/parsePath.ts';
import type { Target } from '../route/target.ts';
import { answerOperation } from './answerOperation.ts';
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
  const frame = {
    operation: 'createUploadSession',
    timeoutMs: config.requestTimeoutMs,
    logMailbox: config.logMailbox,
  } as const;
  return answerOperation(read, context, frame, async (exchange) => {
    const { request, deadline, record } = exchange;
    const caller = await authenticator.authenticate(request.headers.get('authorization'), deadline.signal);
    record.endStage('authenticate');
    record.caller = callerName(policy, caller);
    const target = parsePath(path);
    note(record, target);
    requirePost(request.method);
    if (target.action === 'attach') throw new ServiceError('PathNotSupported', 'One-call attach is not there yet.');
    return openUploadSession(exchange, caller, target, collaborators);
  });
}

function requirePost(method: string): void {
  if (method === 'POST') return;
  throw new ServiceError('MethodNotAllowed', 'An upload session is made with POST.', { headers: { allow: 'POST' } });
}

function note(record: RequestRecord, { kind, owner }: Target): void {
  record.kind = kind;
  if (owner.kind === 'group') record.group = owner.id;
  else if (owner.kind === 'mailbox') record.mailbox = owner.id;
}

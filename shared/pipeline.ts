import type { HttpRequest, InvocationContext } from '@azure/functions';
import { type Answer, errorAnswer, errorCode } from './answer.ts';
import { parseJson } from './body/parseJson.ts';
import { readBody } from './body/readBody.ts';
import { validateAttachment } from './body/validateAttachment.ts';
import { authorize, callerName, type Decision } from './caller/authorize.ts';
import type { Authenticator } from './caller/caller.ts';
import { foldCase, type Policy } from './caller/policy.ts';
import type { Config } from './config/config.ts';
import { type Deadline, startDeadline } from './deadline.ts';
import { ServiceError } from './errors.ts';
import type { Forwarder } from './graph/forwarder.ts';
import { relay } from './graph/relay.ts';
import { requestLine } from './log/requestLine.ts';
import { RequestRecord } from './log/requestRecord.ts';
import { onCallerDisconnect } from './proxiedRequests.ts';
import { type RequestHead, readHead } from './requestHead.ts';
import { parsePath } from './route/parsePath.ts';
import { type ResolvedOwner, type Target, upstreamPath } from './route/target.ts';

/** What the stages work with; service.ts builds it once. */
export interface Collaborators {
  readonly config: Config;
  readonly authenticator: Authenticator;
  readonly policy: Policy;
  /** Loaded when the first request needs it. */
  readonly forwarder: () => Promise<Forwarder>;
}

/**
 * The way of a request. Cheap checks come first; nothing is asked of the token endpoint or of Graph before the caller
 * is known and the policy has admitted what is asked.
 */
async function openUploadSession(
  request: HttpRequest,
  head: RequestHead,
  { config, authenticator, policy, forwarder }: Collaborators,
  deadline: Deadline,
  record: RequestRecord,
): Promise<Answer> {
  const caller = await authenticator.authenticate(request.headers.get('authorization'), deadline.signal);
  record.endStage('authenticate');
  record.caller = callerName(policy, caller);
  const target = parsePath(request.params['path'] ?? '');
  note(record, target);
  requirePost(request.method);
  const body = await readBody(request, deadline.signal);
  record.endStage('body');
  const attachment = validateAttachment(parseJson(body), target.kind, config.ceilings);
  record.sizeBytes = attachment.sizeBytes;
  const ask = {
    operation: 'createUploadSession',
    kind: target.kind,
    owner: target.owner,
    sizeBytes: attachment.sizeBytes,
  } as const;
  const owner = admitted(authorize(policy, caller, ask), target, record);
  const call = {
    kind: target.kind,
    version: target.version,
    path: upstreamPath(target, owner),
    json: attachment.json,
    clientRequestId: head.clientRequestId,
    wantsImmutableIds: head.wantsImmutableIds,
    traceParent: head.traceParent,
  };
  const upstream = await (await forwarder()).send(call, foldCase(owner.id), deadline, record);
  return relay(upstream);
}

/** Runs the request and always gives an answer; writes the request's one log line. */
export async function answerRequest(
  request: HttpRequest,
  context: InvocationContext,
  collaborators: Collaborators,
): Promise<Answer> {
  const record = new RequestRecord();
  const head = readHead(request, context);
  const deadline = startDeadline(collaborators.config.requestTimeoutMs);
  const stopWatching = onCallerDisconnect(context.invocationId, deadline.cancel);
  let answer: Answer;
  let error: unknown;
  try {
    answer = await openUploadSession(request, head, collaborators, deadline, record);
  } catch (caught) {
    error = caught;
    answer = errorAnswer(asServiceError(caught), head, new Date());
  } finally {
    stopWatching();
    deadline.end();
  }
  const { logMailbox } = collaborators.config;
  context.log(requestLine(record, head, { status: answer.status, code: outcomeCode(answer), error }, logMailbox));
  return answer;
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

/** The owner that the policy admits; the denial names what was asked as the caller wrote it, and nothing else. */
function admitted(decision: Decision, target: Target, record: RequestRecord): ResolvedOwner {
  switch (decision.kind) {
    case 'allowed':
      if (decision.actsAs === 'user') {
        // The app's own token would reach what the user may not.
        throw new ServiceError('ServiceMisconfigured', 'The service cannot act for a user.');
      }
      record.decidedBy = decision.decidedBy;
      if (decision.owner.kind !== 'group') record.mailbox = decision.owner.id;
      return decision.owner;
    case 'meUnknown':
      throw new ServiceError('MailboxNotNamed', "Nothing says which mailbox 'me' is; write users/{id} in its place.");
    case 'denied': {
      record.decidedBy = decision.decidedBy;
      const owner = target.owner.kind === 'me' ? 'me' : `${target.owner.kind} '${target.owner.id}'`;
      const limit = decision.limitBytes === undefined ? '' : ` of more than ${decision.limitBytes} bytes`;
      const message = `This caller may not attach a file${limit} to a ${target.kind} of ${owner}.`;
      throw new ServiceError('CallerNotAllowed', message, { cause: `denied: ${decision.reason}` });
    }
  }
}

function asServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  return new ServiceError('InternalError', 'The proxy failed; the log has the reason under this request-id.', {
    cause: error,
  });
}

function outcomeCode({ status, body }: Answer): string {
  if (status < 300) return 'Created';
  return errorCode(JSON.parse(body)) ?? '';
}

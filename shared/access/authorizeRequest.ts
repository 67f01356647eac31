import { ServiceError } from '../errors.ts';
import type { LogEntry } from '../logging/logEntry.ts';
import type { Target } from '../paths/target.ts';
import type { Caller } from './caller.ts';
import { type AccessRequest, authorize, type Decision } from './evaluatePolicy.ts';
import type { Policy } from './policy.ts';

/** What the policy has said yes to. */
export type Grant = Extract<Decision, { kind: 'allowed' }>;

/**
 * Asks the policy; a denial names what was asked as the caller wrote it, and nothing else.
 *
 * @throws ServiceError CallerNotAllowed, SourceNotAllowed, MailboxNotNamed
 */
export function authorizeRequest(
  policy: Policy,
  caller: Caller,
  target: Target,
  asked: Pick<AccessRequest, 'operation' | 'sizeBytes' | 'sourceUrl'>,
  logEntry: LogEntry,
): Grant {
  logEntry.sizeBytes = asked.sizeBytes;
  const decision = authorize(policy, caller, { ...asked, kind: target.kind, owner: target.owner });
  switch (decision.kind) {
    case 'allowed':
      logEntry.policyPath = decision.policyPath;
      logEntry.actsAs = decision.actsAs;
      if (decision.owner.kind !== 'group') logEntry.mailbox = decision.owner.id;
      return decision;
    case 'meUnknown':
      throw new ServiceError('MailboxNotNamed', "Nothing says which mailbox 'me' is; write users/{id} in its place.");
    case 'denied': {
      logEntry.policyPath = decision.policyPath;
      const message = `This caller may not ${describe(asked, decision)} a ${target.kind} of ${nameOwner(target)}.`;
      const code = decision.reason === 'source' ? 'SourceNotAllowed' : 'CallerNotAllowed';
      throw new ServiceError(code, message, { cause: `denied: ${decision.reason}` });
    }
  }
}

function describe(
  { operation }: Pick<AccessRequest, 'operation'>,
  { reason, limitBytes }: Extract<Decision, { kind: 'denied' }>,
): string {
  if (reason === 'source') return 'attach a file from that address to';
  if (reason === 'operation') return `use the operation ${operation} on`;
  return limitBytes === undefined ? 'attach a file to' : `attach a file of more than ${limitBytes} bytes to`;
}

function nameOwner({ owner }: Target): string {
  return owner.kind === 'me' ? 'me' : `${owner.kind} '${owner.id}'`;
}

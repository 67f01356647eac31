import { type Ask, authorize, type Decision } from '../caller/authorize.ts';
import type { Caller } from '../caller/caller.ts';
import type { Policy } from '../caller/policy.ts';
import { ServiceError } from '../errors.ts';
import type { RequestRecord } from '../log/requestRecord.ts';
import type { Target } from '../route/target.ts';

/** What the policy has said yes to. */
export type Admission = Extract<Decision, { kind: 'allowed' }>;

/**
 * Asks the policy; a denial names what was asked as the caller wrote it, and nothing else.
 *
 * @throws ServiceError CallerNotAllowed, SourceNotAllowed, MailboxNotNamed
 */
export function admit(
  policy: Policy,
  caller: Caller,
  target: Target,
  asked: Pick<Ask, 'operation' | 'sizeBytes' | 'sourceUrl'>,
  record: RequestRecord,
): Admission {
  record.sizeBytes = asked.sizeBytes;
  const decision = authorize(policy, caller, { ...asked, kind: target.kind, owner: target.owner });
  switch (decision.kind) {
    case 'allowed':
      record.decidedBy = decision.decidedBy;
      record.actsAs = decision.actsAs;
      if (decision.owner.kind !== 'group') record.mailbox = decision.owner.id;
      return decision;
    case 'meUnknown':
      throw new ServiceError('MailboxNotNamed', "Nothing says which mailbox 'me' is; write users/{id} in its place.");
    case 'denied': {
      record.decidedBy = decision.decidedBy;
      const message = `This caller may not ${describe(asked, decision)} a ${target.kind} of ${nameOwner(target)}.`;
      const code = decision.reason === 'source' ? 'SourceNotAllowed' : 'CallerNotAllowed';
      throw new ServiceError(code, message, { cause: `denied: ${decision.reason}` });
    }
  }
}

function describe(
  { operation }: Pick<Ask, 'operation'>,
  { reason, limitBytes }: Extract<Decision, { kind: 'denied' }>,
): string {
  if (reason === 'source') return 'attach a file from that address to';
  if (reason === 'operation')
    return operation === 'attach' ? 'attach a file in one call to' : 'open an upload session on';
  return limitBytes === undefined ? 'attach a file to' : `attach a file of more than ${limitBytes} bytes to`;
}

function nameOwner({ owner }: Target): string {
  return owner.kind === 'me' ? 'me' : `${owner.kind} '${owner.id}'`;
}

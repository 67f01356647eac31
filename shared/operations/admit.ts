import { authorize } from '../caller/authorize.ts';
import type { Caller } from '../caller/caller.ts';
import type { Policy } from '../caller/policy.ts';
import { ServiceError } from '../errors.ts';
import type { RequestRecord } from '../log/requestRecord.ts';
import type { ResolvedOwner, Target } from '../route/target.ts';

/**
 * The owner that the policy admits; a denial names what was asked as the caller wrote it, and nothing else.
 *
 * @throws ServiceError CallerNotAllowed, MailboxNotNamed, ServiceMisconfigured
 */
export function admit(
  policy: Policy,
  caller: Caller,
  target: Target,
  sizeBytes: number,
  record: RequestRecord,
): ResolvedOwner {
  record.sizeBytes = sizeBytes;
  const ask = { operation: 'createUploadSession', kind: target.kind, owner: target.owner, sizeBytes } as const;
  const decision = authorize(policy, caller, ask);
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

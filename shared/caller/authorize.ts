import type { ItemKind } from '../route/entityModel.ts';
import type { ResolvedOwner, TargetOwner } from '../route/target.ts';
import type { Caller } from './caller.ts';
import { admittedBy, foldCase, type Grant, type Policy } from './policy.ts';

/** What is asked for. `sizeBytes` is the declared size. */
export interface Ask {
  readonly kind: ItemKind;
  readonly owner: TargetOwner;
  readonly sizeBytes: number;
}

/** The answer, with the place in the policy that decided, for the log and for `npm run policy`. */
export type Decision =
  | { readonly kind: 'allowed'; readonly owner: ResolvedOwner; readonly decidedBy: string }
  | {
      readonly kind: 'denied';
      readonly reason: DenialReason;
      readonly decidedBy: string;
      /** With the reason maxBytes: what would be allowed. */
      readonly limitBytes?: number;
    }
  | { readonly kind: 'meUnknown' };

export type DenialReason = 'unknownCaller' | 'delegatedNotAdmitted' | 'kind' | 'owner' | 'maxBytes';

/** Decides from data alone: no clock, no I/O. What is not admitted is denied. */
export function authorize(policy: Policy, caller: Caller, ask: Ask): Decision {
  const grant = grantOf(policy, caller);
  if (grant === undefined) {
    return { kind: 'denied', reason: 'unknownCaller', decidedBy: '/callers' };
  }
  const deny = (reason: DenialReason, member: string) => {
    return { kind: 'denied', reason, decidedBy: `${grant.origin}${member}` } as const;
  };
  if (caller.kind === 'delegated' && !grant.delegated) return deny('delegatedNotAdmitted', '/delegated');
  if (!grant.kinds.has(ask.kind)) return deny('kind', '/kinds');
  const owner = resolveMe(ask.owner, grant, caller);
  if (owner === undefined) return { kind: 'meUnknown' };
  const decidedBy = ownerAdmittedBy(owner, grant, caller);
  if (decidedBy === undefined) return deny('owner', owner.kind === 'group' ? '/groups' : '/mailboxes');
  if (ask.sizeBytes > grant.maxBytes) return { ...deny('maxBytes', '/maxBytes'), limitBytes: grant.maxBytes };
  return { kind: 'allowed', owner, decidedBy };
}

/** What the log calls the caller: the policy's name for it, else what authentication proved. */
export function callerName(policy: Policy, caller: Caller): string {
  return grantOf(policy, caller)?.name ?? (caller.kind === 'functionKey' ? caller.kind : caller.appId);
}

function grantOf(policy: Policy, caller: Caller): Grant | undefined {
  return caller.kind === 'functionKey' ? policy.functionKey : (policy.apps.get(caller.appId) ?? policy.anyApp);
}

/** `me` is the token's own user for a delegated caller, else the mailbox that the policy or ME_MAILBOX names. */
function resolveMe(owner: TargetOwner, grant: Grant, caller: Caller): ResolvedOwner | undefined {
  if (owner.kind !== 'me') return owner;
  const id = caller.kind === 'delegated' ? caller.userId : grant.me;
  return id === undefined ? undefined : { kind: 'mailbox', id };
}

/** A delegated caller reaches its own user's mailbox by object id and nothing else, whatever the lists say. */
function ownerAdmittedBy(owner: ResolvedOwner, grant: Grant, caller: Caller): string | undefined {
  if (caller.kind === 'delegated') {
    const isOwn = owner.kind === 'mailbox' && foldCase(owner.id) === foldCase(caller.userId);
    return isOwn ? `${grant.origin}/delegated` : undefined;
  }
  return admittedBy(owner.kind === 'group' ? grant.groups : grant.mailboxes, owner.id);
}

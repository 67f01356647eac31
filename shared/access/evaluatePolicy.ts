import type { UploadUrlChoice } from '../config/config.ts';
import type { ItemKind } from '../paths/entityModel.ts';
import type { ResolvedOwner, TargetOwner } from '../paths/target.ts';
import type { PolicyOperation } from '../routes.ts';
import { findSourceRule, type SourceRule } from '../sources/sourceRules.ts';
import type { Caller } from './caller.ts';
import { type ActsAs, admittedBy, type CallerRules, foldCase, type Policy } from './policy.ts';

/** What is asked for. */
export interface AccessRequest {
  readonly operation: PolicyOperation;
  readonly kind: ItemKind;
  readonly owner: TargetOwner;
  /** The length of the file; undefined while it is not known, to be asked again when it is. */
  readonly sizeBytes: number | undefined;
  /** The address that the file is to be read from, where it is not in the request; parseSourceUrl has passed it. */
  readonly sourceUrl?: URL | undefined;
}

/** The answer, with the place in the policy that decided, for the log and for `npm run policy`. */
export type Decision =
  | {
      readonly kind: 'allowed';
      readonly owner: ResolvedOwner;
      /** Whose token Graph must see: with `user`, the app's own would reach what the user may not. */
      readonly actsAs: ActsAs;
      readonly uploadUrl: UploadUrlChoice;
      /** The rule that admits the sourceUrl; absent where none was asked for. */
      readonly source?: SourceRule;
      readonly policyPath: string;
    }
  | {
      readonly kind: 'denied';
      readonly reason: DenialReason;
      readonly policyPath: string;
      /** With the reason maxBytes: what would be allowed. */
      readonly limitBytes?: number;
    }
  | { readonly kind: 'meUnknown' };

export type DenialReason =
  | 'unknownCaller'
  | 'delegatedNotAdmitted'
  | 'appNotAdmitted'
  | 'operation'
  | 'kind'
  | 'owner'
  | 'source'
  | 'maxBytes';

/** Decides from data alone: no clock, no I/O. What is not admitted is denied. */
export function authorize(policy: Policy, caller: Caller, ask: AccessRequest): Decision {
  const grant = ruleOf(policy, caller);
  if (grant === undefined) {
    return { kind: 'denied', reason: 'unknownCaller', policyPath: '/callers' };
  }
  const { policyPath: origin, actsAs, uploadUrl } = grant;
  const deny = (reason: DenialReason, member: string) => {
    return { kind: 'denied', reason, policyPath: `${origin}${member}` } as const;
  };
  if (caller.kind === 'delegated' && !grant.delegated) return deny('delegatedNotAdmitted', '/delegated');
  if (caller.kind !== 'delegated' && actsAs === 'user') return deny('appNotAdmitted', '/actsAs');
  if (!grant.operations.has(ask.operation)) return deny('operation', '/operations');
  if (!grant.kinds.has(ask.kind)) return deny('kind', '/kinds');
  const owner = resolveMe(ask.owner, grant, caller);
  if (owner === undefined) return { kind: 'meUnknown' };
  const policyPath = ownerAdmittedBy(owner, grant, caller);
  if (policyPath === undefined) return deny('owner', owner.kind === 'group' ? '/groups' : '/mailboxes');
  const source = ask.sourceUrl && findSourceRule(grant.sources, ask.sourceUrl);
  if (ask.sourceUrl !== undefined && source === undefined) return deny('source', '/sources');
  if (ask.sizeBytes !== undefined && ask.sizeBytes > grant.maxBytes) {
    return { ...deny('maxBytes', '/maxBytes'), limitBytes: grant.maxBytes };
  }
  return { kind: 'allowed', owner, actsAs, uploadUrl, policyPath, ...(source && { source }) };
}

/** What the log calls the caller: the policy's name for it, else what authentication proved. */
export function callerName(policy: Policy, caller: Caller): string {
  return ruleOf(policy, caller)?.name ?? (caller.kind === 'functionKey' ? caller.kind : caller.appId);
}

/** What the policy gives to the caller; undefined where it has no entry for it. */
export function ruleOf(policy: Policy, caller: Caller): CallerRules | undefined {
  return caller.kind === 'functionKey' ? policy.functionKey : (policy.apps.get(caller.appId) ?? policy.anyApp);
}

/** `me` is the token's own user for a delegated caller, else the mailbox that the policy or ME_MAILBOX names. */
function resolveMe(owner: TargetOwner, grant: CallerRules, caller: Caller): ResolvedOwner | undefined {
  if (owner.kind !== 'me') return owner;
  if (caller.kind === 'delegated') return { kind: grant.actsAs === 'user' ? 'me' : 'mailbox', id: caller.userId };
  return grant.me === undefined ? undefined : { kind: 'mailbox', id: grant.me };
}

/**
 * A delegated caller reaches its own user's mailbox by object id. With the app's token it reaches nothing else, whatever
 * the lists say; with the user's, the lists count.
 */
function ownerAdmittedBy(owner: ResolvedOwner, grant: CallerRules, caller: Caller): string | undefined {
  if (caller.kind === 'delegated') {
    const isOwn = owner.kind !== 'group' && foldCase(owner.id) === foldCase(caller.userId);
    if (isOwn) return `${grant.policyPath}/delegated`;
    if (grant.actsAs === 'app') return undefined;
  }
  return admittedBy(owner.kind === 'group' ? grant.groups : grant.mailboxes, owner.id);
}

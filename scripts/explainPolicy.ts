import { authorize } from '../shared/caller/authorize.ts';
import type { Caller } from '../shared/caller/caller.ts';
import { compilePolicy, type PolicyDocument } from '../shared/caller/policy.ts';
import { ITEM_KINDS, type ItemKind } from '../shared/route/entityModel.ts';
import type { TargetOwner } from '../shared/route/target.ts';

/** May this caller attach a file of this size to an item of this kind in this mailbox (or group)? */
export interface Question {
  /** A caller's name in the policy, an application id, or `functionKey`. */
  readonly caller: string;
  /** Object id of the signed-in user, for a delegated token. */
  readonly user: string | undefined;
  readonly mailbox: string | undefined;
  readonly group: string | undefined;
  readonly kind: string;
  readonly size: number;
  readonly meMailbox: string | undefined;
}

export type Explanation =
  | { readonly kind: 'explained'; readonly allowed: boolean; readonly text: string }
  | { readonly kind: 'badQuestion'; readonly fault: string };

/** Asks the same function that decides in the running app, and names the place in the policy that decided. */
export function explainPolicy(document: PolicyDocument, question: Question): Explanation {
  const { kind, size } = question;
  if (!isItemKind(kind)) return { kind: 'badQuestion', fault: `--kind must be one of ${ITEM_KINDS.join(', ')}.` };
  if (!Number.isSafeInteger(size) || size < 1)
    return { kind: 'badQuestion', fault: '--size must be a number of bytes.' };
  const policy = compilePolicy(document, question.meMailbox);
  const decision = authorize(policy, callerOf(document, question), { kind, owner: ownerOf(question), sizeBytes: size });
  switch (decision.kind) {
    case 'allowed':
      return { kind: 'explained', allowed: true, text: `allowed by ${place(document, decision.decidedBy)}` };
    case 'meUnknown':
      return { kind: 'explained', allowed: false, text: 'denied: nothing says which mailbox me is' };
    case 'denied':
      return {
        kind: 'explained',
        allowed: false,
        text: `denied (${decision.reason}) by ${place(document, decision.decidedBy)}`,
      };
  }
}

function isItemKind(kind: string): kind is ItemKind {
  return ITEM_KINDS.some((known) => known === kind);
}

function callerOf({ callers }: PolicyDocument, { caller, user }: Question): Caller {
  const entry = callers.find(({ name }) => name === caller);
  const appId = (entry === undefined ? caller : (entry.appId ?? 'functionKey')).toLowerCase();
  if (appId === 'functionkey') return { kind: 'functionKey' };
  return user === undefined ? { kind: 'app', appId } : { kind: 'delegated', appId, userId: user };
}

function ownerOf({ mailbox, group }: Question): TargetOwner {
  if (group !== undefined) return { kind: 'group', id: group };
  return mailbox === undefined || mailbox.toLowerCase() === 'me' ? { kind: 'me' } : { kind: 'mailbox', id: mailbox };
}

/** The pointer and the text that stands there: `/callers/0/mailboxes/1 "*@contoso.com"`. */
function place(document: PolicyDocument, pointer: string): string {
  let value: unknown = document;
  for (const step of pointer.split('/').slice(1)) {
    value =
      typeof value === 'object' && value !== null
        ? Object.entries(value).find(([key]) => key === step)?.[1]
        : undefined;
  }
  return value === undefined ? `${pointer} (absent)` : `${pointer} ${JSON.stringify(value)}`;
}

import type { Caller } from '../shared/access/caller.ts';
import { authorize, ruleOf } from '../shared/access/evaluatePolicy.ts';
import type { CallerRules, Policy, PolicyDocument } from '../shared/access/policy.ts';
import { ITEM_KINDS } from '../shared/paths/entityModel.ts';
import type { TargetOwner } from '../shared/paths/target.ts';
import { POLICY_OPERATIONS } from '../shared/routes.ts';
import type { SourceRule } from '../shared/sources/sourceRules.ts';
import { parseSourceUrl } from '../shared/sources/sourceUrl.ts';

/** May this caller attach a file of this size to an item of this kind in this mailbox (or group)? */
export interface Question {
  /** A caller's name in the policy, an application id, or `functionKey`. */
  readonly caller: string;
  /** Object id of the signed-in user, for a delegated token. */
  readonly user: string | undefined;
  readonly operation: string;
  readonly mailbox: string | undefined;
  readonly group: string | undefined;
  readonly kind: string;
  readonly size: number;
  /** The address to attach from. */
  readonly source: string | undefined;
}

/** A policy, and the document that it was made of where there is one. */
export interface ExplainedPolicy {
  readonly policy: Policy;
  readonly document: PolicyDocument | undefined;
}

export type Explanation =
  | { readonly kind: 'explained'; readonly allowed: boolean; readonly text: string }
  | { readonly kind: 'badQuestion'; readonly fault: string };

/**
 * Asks the same function that decides in the running app, and names the place in the policy that decided. A second line
 * says what else the caller was given.
 */
export function explainPolicy({ policy, document }: ExplainedPolicy, question: Question): Explanation {
  const { operation, kind, size, source } = question;
  if (!isOneOf(POLICY_OPERATIONS, operation))
    return badQuestion(`--operation must be one of ${POLICY_OPERATIONS.join(', ')}.`);
  if (!isOneOf(ITEM_KINDS, kind)) return badQuestion(`--kind must be one of ${ITEM_KINDS.join(', ')}.`);
  if (!Number.isSafeInteger(size) || size < (operation === 'attach' ? 0 : 1)) {
    return badQuestion('--size must be a number of bytes.');
  }
  if (source !== undefined && operation !== 'attach') return badQuestion('--source goes with --operation attach.');
  const sourceUrl = source === undefined ? undefined : parseSourceUrl(source);
  if (sourceUrl?.kind === 'fault') return badQuestion(`--source ${sourceUrl.fault}.`);
  const caller = callerOf(document, question);
  const ask = { operation, kind, owner: ownerOf(question), sizeBytes: size, sourceUrl: sourceUrl?.url };
  const decision = authorize(policy, caller, ask);
  const grant = ruleOf(policy, caller);
  const given = grant === undefined ? '' : `\n${describeGrant(grant)}`;
  const explained = (verdict: string) => {
    return { kind: 'explained', allowed: decision.kind === 'allowed', text: `${verdict}${given}` } as const;
  };
  switch (decision.kind) {
    case 'allowed': {
      const from = decision.source === undefined ? '' : ` and ${place(document, decision.source.place)}`;
      return explained(`allowed by ${place(document, decision.policyPath)}${from}`);
    }
    case 'meUnknown':
      return explained('denied: nothing says which mailbox me is');
    case 'denied':
      return explained(`denied (${decision.reason}) by ${place(document, decision.policyPath)}`);
  }
}

/** One line: `Invoices: acts as app; createUploadSession with uploadUrl graph; attach, also from https://files.contoso.com/`. */
export function describeGrant({ name, actsAs, operations, uploadUrl, sources }: CallerRules): string {
  const opens = operations.has('createUploadSession') ? `; createUploadSession with uploadUrl ${uploadUrl}` : '';
  const from = sources.length === 0 ? '' : `, also from ${sources.map(patternOf).join(' and ')}`;
  return `${name}: acts as ${actsAs}${opens}${operations.has('attach') ? `; attach${from}` : ''}`;
}

function patternOf({ host, isHostExact, port, isPortNamed, path }: SourceRule): string {
  return `https://${isHostExact ? '' : '*.'}${host}${isPortNamed ? `:${port}` : ''}${path}`;
}

function badQuestion(fault: string): Explanation {
  return { kind: 'badQuestion', fault };
}

function isOneOf<T extends string>(values: readonly T[], value: string): value is T {
  return values.some((known) => known === value);
}

function callerOf(document: PolicyDocument | undefined, { caller, user }: Question): Caller {
  const entry = document?.callers.find(({ name }) => name === caller);
  const appId = (entry === undefined ? caller : (entry.appId ?? 'functionKey')).toLowerCase();
  if (appId === 'functionkey') return { kind: 'functionKey' };
  return user === undefined ? { kind: 'app', appId } : { kind: 'delegated', appId, userId: user };
}

function ownerOf({ mailbox, group }: Question): TargetOwner {
  if (group !== undefined) return { kind: 'group', id: group };
  return mailbox === undefined || mailbox.toLowerCase() === 'me' ? { kind: 'me' } : { kind: 'mailbox', id: mailbox };
}

/** The pointer and the text that stands there, `/callers/0/mailboxes/1 "*@contoso.com"`; or the name of a setting. */
function place(document: PolicyDocument | undefined, pointer: string): string {
  if (document === undefined) return pointer;
  const value: unknown = pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((part, step) => Object(part)[step], document);
  return value === undefined ? `${pointer} (absent)` : `${pointer} ${JSON.stringify(value)}`;
}

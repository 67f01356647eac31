import type { Config, UploadUrlChoice } from '../config/config.ts';
import { ITEM_KINDS, type ItemKind } from '../paths/entityModel.ts';
import type { PolicyOperation } from '../routes.ts';
import { compileSources, NO_SOURCES, type SourceRules } from '../sources/sourceRules.ts';

/**
 * What a caller may ask for if its policy entry lists no operations, and if there is no policy document. This list stays as it
 * is: otherwise an upgrade would grant a new operation to every existing entry.
 */
export const DEFAULT_OPERATIONS = ['createUploadSession', 'attach'] as const satisfies readonly PolicyOperation[];

/** Whose token goes to Graph: the app's own, or one for the user that the caller's token is of. */
export type ActsAs = 'app' | 'user';

/** A policy document that has passed its schema. Only parsePolicy makes one. */
export interface PolicyDocument {
  readonly callers: readonly PolicyEntry[];
}

export interface PolicyEntry {
  readonly name: string;
  readonly appId?: string;
  readonly functionKey?: true;
  readonly mailboxes?: readonly string[];
  readonly me?: string;
  readonly groups?: readonly string[];
  readonly kinds: readonly ItemKind[];
  readonly maxBytes?: number;
  readonly delegated?: boolean;
  readonly operations?: readonly PolicyOperation[];
  readonly uploadUrl?: UploadUrlChoice;
  readonly sources?: readonly string[];
  readonly actsAs?: ActsAs;
}

/** What one caller was given, ready for look-ups whose cost does not grow with the policy. */
export interface CallerRules {
  readonly name: string;
  readonly mailboxes: NameSet;
  readonly groups: NameSet;
  readonly me: string | undefined;
  readonly kinds: ReadonlySet<ItemKind>;
  readonly maxBytes: number;
  readonly delegated: boolean;
  readonly operations: ReadonlySet<PolicyOperation>;
  readonly uploadUrl: UploadUrlChoice;
  readonly sources: SourceRules;
  /** With `user`, `mailboxes` and `groups` that the entry leaves out admit every name: Graph decides. */
  readonly actsAs: ActsAs;
  /** Where the grant stands, as a JSON pointer into the policy, or the setting that made it. */
  readonly policyPath: string;
}

/** Names and patterns of mailboxes or groups; each maps to the place that admits it. */
export interface NameSet {
  readonly exact: ReadonlyMap<string, string>;
  readonly domains: ReadonlyMap<string, string>;
  readonly any: string | undefined;
}

/** Who may do what. A caller without a grant may do nothing. */
export interface Policy {
  readonly functionKey: CallerRules | undefined;
  readonly apps: ReadonlyMap<string, CallerRules>;
  /** The grant of every app that has none of its own; only ALLOW_ANY_MAILBOX makes one. */
  readonly anyApp: CallerRules | undefined;
}

/** Whether no caller can make the app use its own token: every one of them acts as its user. */
export function actsForUsersAlone({ functionKey, apps, anyApp }: Policy): boolean {
  const grants = [functionKey, anyApp, ...apps.values()].filter((grant) => grant !== undefined);
  return grants.length > 0 && grants.every(({ actsAs }) => actsAs === 'user');
}

/**
 * Folds the letters A to Z only: userPrincipalNames and object ids are ASCII, and a wider folding would make strangers
 * equal (U+212A KELVIN SIGN becomes k).
 */
export function foldCase(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/**
 * The characters of a userPrincipalName (learn.microsoft.com/entra/identity/hybrid/connect/plan-connect-userprincipalname),
 * and `$`, which Graph knows as its first one (learn.microsoft.com/graph/api/user-get).
 */
const ADDRESS = /^[a-z0-9'.\-_!#^~+$]+@([a-z0-9.-]+)$/;

/** An object id before the `@`, as in Graph's own form `{oid}@{tenantId}`, with or without its dashes. */
const OBJECT_ID_FIRST = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}@/;

/** The domain of a plain address; undefined for an object id in any form, and for what only looks like an address. */
function domainOf(foldedName: string): string | undefined {
  return OBJECT_ID_FIRST.test(foldedName) ? undefined : ADDRESS.exec(foldedName)?.[1];
}

/** The place that admits the name, or undefined. */
export function admittedBy(names: NameSet, name: string): string | undefined {
  const folded = foldCase(name);
  const exact = names.exact.get(folded);
  if (exact !== undefined) return exact;
  const domain = names.domains.size > 0 ? domainOf(folded) : undefined;
  return (domain === undefined ? undefined : names.domains.get(domain)) ?? names.any;
}

/** Turns patterns into look-ups. `origin` is where the list stands. */
export function compileNames(patterns: readonly string[], origin: string): NameSet {
  const exact = new Map<string, string>();
  const domains = new Map<string, string>();
  let any: string | undefined;
  for (const [index, pattern] of patterns.entries()) {
    const place = `${origin}/${index}`;
    const folded = foldCase(pattern);
    if (folded === '*') any ??= place;
    else if (folded.startsWith('*@')) domains.set(folded.slice(2), place);
    else exact.set(folded, place);
  }
  return { exact, domains, any };
}

const NO_NAMES: NameSet = { exact: new Map(), domains: new Map(), any: undefined };
const ALL_KINDS: ReadonlySet<ItemKind> = new Set(ITEM_KINDS);

/** What holds for a caller where its entry says nothing. */
export type PolicyDefaults = Pick<Config, 'meMailbox' | 'uploadUrl'>;

export function compilePolicy(document: PolicyDocument, defaults: PolicyDefaults): Policy {
  const apps = new Map<string, CallerRules>();
  let functionKey: CallerRules | undefined;
  for (const [index, entry] of document.callers.entries()) {
    const grant = compileEntry(entry, `/callers/${index}`, defaults);
    if (entry.appId === undefined) functionKey = grant;
    else apps.set(entry.appId.toLowerCase(), grant);
  }
  return { functionKey, apps, anyApp: undefined };
}

function compileEntry(entry: PolicyEntry, origin: string, defaults: PolicyDefaults): CallerRules {
  const actsAs = entry.actsAs ?? 'app';
  const unlisted: NameSet = actsAs === 'user' ? { ...NO_NAMES, any: `${origin}/actsAs` } : NO_NAMES;
  const namesOf = (member: 'mailboxes' | 'groups') => {
    const patterns = entry[member];
    return patterns === undefined ? unlisted : compileNames(patterns, `${origin}/${member}`);
  };
  const mailboxes = namesOf('mailboxes');
  const me = entry.me === undefined ? new Map<string, string>() : new Map([[foldCase(entry.me), `${origin}/me`]]);
  return {
    name: entry.name,
    mailboxes: { ...mailboxes, exact: new Map([...me, ...mailboxes.exact]) },
    groups: namesOf('groups'),
    me: entry.me ?? defaults.meMailbox,
    kinds: new Set(entry.kinds),
    maxBytes: entry.maxBytes ?? Number.POSITIVE_INFINITY,
    delegated: entry.delegated ?? false,
    operations: new Set(entry.operations ?? DEFAULT_OPERATIONS),
    uploadUrl: entry.uploadUrl ?? defaults.uploadUrl,
    sources: compileSources(entry.sources ?? [], `${origin}/sources`),
    actsAs,
    policyPath: origin,
  };
}

/** Without a document: ME_MAILBOX for function key holders, or everything where ALLOW_ANY_MAILBOX says so, or nothing. */
export function policyWithoutDocument(settings: PolicyDefaults & Pick<Config, 'allowAnyMailbox'>): Policy {
  const { meMailbox: me, uploadUrl, allowAnyMailbox } = settings;
  const unlimited = {
    me,
    kinds: ALL_KINDS,
    maxBytes: Number.POSITIVE_INFINITY,
    delegated: false,
    operations: new Set<PolicyOperation>(DEFAULT_OPERATIONS),
    uploadUrl,
    sources: NO_SOURCES,
    actsAs: 'app',
  } as const;
  if (allowAnyMailbox) {
    const origin = 'ALLOW_ANY_MAILBOX';
    const everyName: NameSet = { ...NO_NAMES, any: origin };
    const grant: CallerRules = {
      ...unlimited,
      name: 'anyCaller',
      mailboxes: everyName,
      groups: everyName,
      policyPath: origin,
    };
    return { functionKey: { ...grant, name: 'functionKey' }, apps: new Map(), anyApp: grant };
  }
  const origin = 'ME_MAILBOX';
  const exact = me === undefined ? NO_NAMES.exact : new Map([[foldCase(me), origin]]);
  const mailboxes: NameSet = { ...NO_NAMES, exact };
  const grant: CallerRules = { ...unlimited, name: 'functionKey', mailboxes, groups: NO_NAMES, policyPath: origin };
  return { functionKey: grant, apps: new Map(), anyApp: undefined };
}

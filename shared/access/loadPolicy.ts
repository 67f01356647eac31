import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ErrorObject } from 'ajv';
import type { CallerAuthConfig, Config } from '../config/config.ts';
import * as validators from '../json/validators.generated.cjs';
import type { PolicyOperation } from '../routes.ts';
import { sourcePatternError } from '../sources/sourceRules.ts';
import {
  compilePolicy,
  DEFAULT_OPERATIONS,
  MAIL_OPERATIONS,
  type Policy,
  type PolicyDocument,
  policyWithoutDocument,
} from './policy.ts';
import { recipientPatternError } from './recipients.ts';

/** One fault of a policy document, and where, as a JSON pointer. */
export interface PolicyError {
  readonly pointer: string;
  readonly fault: string;
}

export type PolicyResult =
  /** `document` is undefined where there is none, and the policy is the one of the settings. */
  | {
      readonly kind: 'ok';
      readonly policy: Policy;
      readonly document: PolicyDocument | undefined;
      readonly source: string;
    }
  | { readonly kind: 'broken'; readonly faults: readonly PolicyError[]; readonly source: string };

export interface PolicySettings extends Pick<Config, 'policySource' | 'meMailbox' | 'allowAnyMailbox' | 'uploadUrl'> {
  readonly callerAuth: Pick<CallerAuthConfig, 'kind'>;
  /** Whether the settings name a registration that acts on behalf of users. */
  readonly canActForUsers: boolean;
}

/**
 * Reads the policy that the settings name, relative to the app's root. A broken one is reported with all its faults
 * and never falls open.
 */
export function loadPolicy(settings: PolicySettings, appRoot: string): PolicyResult {
  const { policySource } = settings;
  if (policySource.kind === 'inline') return fromDocument(policySource.document, 'POLICY', settings);
  const source = policySource.path;
  const text = readText(resolve(appRoot, source));
  if (text.kind === 'absent' && policySource.kind === 'defaultFile') {
    return { kind: 'ok', policy: policyWithoutDocument(settings), document: undefined, source: 'none' };
  }
  if (text.kind !== 'text') return broken(source, `the file cannot be read (${text.code})`);
  let document: unknown;
  try {
    document = JSON.parse(text.text.replace(/^\uFEFF/, ''));
  } catch (error) {
    return broken(source, `is not JSON${positionOf(error)}`);
  }
  return fromDocument(document, source, settings);
}

function fromDocument(document: unknown, source: string, settings: PolicySettings): PolicyResult {
  const parsed = parsePolicy(document);
  if (parsed.kind === 'broken') return { ...parsed, source };
  if (settings.allowAnyMailbox) return broken(source, 'ALLOW_ANY_MAILBOX=true is refused beside a policy');
  const { document: checked } = parsed;
  const faults = usersNotActedFor(checked, settings);
  if (faults.length > 0) return { kind: 'broken', faults, source };
  return { kind: 'ok', policy: compilePolicy(checked, settings), document: checked, source };
}

/** Only a token proves a user, and only a registration can exchange it. */
function usersNotActedFor(
  { callers }: PolicyDocument,
  { callerAuth, canActForUsers }: Pick<PolicySettings, 'callerAuth' | 'canActForUsers'>,
): PolicyError[] {
  const needed = callerAuth.kind === 'entra' ? 'OBO_CLIENT_ID' : 'CALLER_AUTH=entra';
  if (callerAuth.kind === 'entra' && canActForUsers) return [];
  return callers.flatMap(({ actsAs }, index) =>
    actsAs === 'user' ? [{ pointer: `/callers/${index}/actsAs`, fault: `user needs ${needed}` }] : [],
  );
}

/** Checks a document of unknown shape against docs/policy.schema.json and against doubled callers. */
export function parsePolicy(
  document: unknown,
): { kind: 'ok'; document: PolicyDocument } | { kind: 'broken'; faults: readonly PolicyError[] } {
  if (!isPolicyDocument(document)) {
    const faults = (validators.policy.errors ?? []).filter(isOfInterest).map(explain);
    // A choice that failed comes after the faults of its branches and says what would do.
    return { kind: 'broken', faults: [...new Map(faults.map((fault) => [fault.pointer, fault])).values()] };
  }
  const faults = [...doubledCallers(document), ...faultySources(document), ...faultyRecipients(document)];
  return faults.length > 0 ? { kind: 'broken', faults } : { kind: 'ok', document };
}

function isPolicyDocument(document: unknown): document is PolicyDocument {
  return validators.policy(document);
}

/** Two entries for one caller would leave open which counts; two with one name would look alike in the log. */
function doubledCallers({ callers }: PolicyDocument): PolicyError[] {
  const seen = new Map<string, number>();
  return callers.flatMap(({ appId, name }, index) => {
    const keys = [`caller ${appId?.toLowerCase() ?? 'functionKey'}`, `name ${name}`];
    const first = keys.map((key) => seen.get(key)).find((place) => place !== undefined);
    for (const key of keys) seen.set(key, seen.get(key) ?? index);
    return first === undefined
      ? []
      : [{ pointer: `/callers/${index}`, fault: `names the same caller as /callers/${first}` }];
  });
}

function faultySources({ callers }: PolicyDocument): PolicyError[] {
  return callers.flatMap(({ sources = [] }, index) =>
    sources.flatMap((pattern, place) => {
      const fault = sourcePatternError(pattern);
      return fault === undefined ? [] : [{ pointer: `/callers/${index}/sources/${place}`, fault }];
    }),
  );
}

/** A rule for recipients without an operation that has some is a mistake: its author believes that the entry may send. */
function faultyRecipients({ callers }: PolicyDocument): PolicyError[] {
  return callers.flatMap((entry, index) => {
    const operations: readonly PolicyOperation[] = entry.operations ?? DEFAULT_OPERATIONS;
    const sends = MAIL_OPERATIONS.some((operation) => operations.includes(operation));
    const unused = (['recipients', 'maxRecipients'] as const).filter((member) => !sends && entry[member] !== undefined);
    const invalid = (entry.recipients ?? []).flatMap((pattern, place) => {
      const fault = recipientPatternError(pattern);
      return fault === undefined ? [] : [{ pointer: `/callers/${index}/recipients/${place}`, fault }];
    });
    const needed = `needs ${MAIL_OPERATIONS.join(' or ')} in operations`;
    return [...unused.map((member) => ({ pointer: `/callers/${index}/${member}`, fault: needed })), ...invalid];
  });
}

/** A choice or a condition that failed is reported once, not once more for each of its branches. */
function isOfInterest({ schemaPath }: ErrorObject): boolean {
  return !/\/((oneOf|anyOf)\/\d+|then)\//.test(schemaPath);
}

function explain({ keyword, instancePath, params, message = '', data }: ErrorObject): PolicyError {
  const pointer = instancePath === '' ? '/' : instancePath;
  if (keyword === 'additionalProperties') {
    return { pointer: `${instancePath}/${params['additionalProperty']}`, fault: 'is not a member here' };
  }
  if (keyword === 'required') return { pointer: `${instancePath}/${params['missingProperty']}`, fault: 'is missing' };
  if (keyword === 'if') {
    return { pointer: `${instancePath}/actsAs`, fault: 'user needs appId and "delegated": true, and takes no me' };
  }
  if (keyword === 'oneOf') return { pointer, fault: 'must have either appId or functionKey' };
  if (keyword === 'anyOf' && instancePath.includes('/groups/')) return { pointer, fault: 'must be an object id or *' };
  if (keyword === 'anyOf') return { pointer, fault: 'must be an address, an object id, *@domain or *' };
  if ((keyword === 'pattern' || keyword === 'not') && /\/me$/.test(instancePath))
    return { pointer, fault: 'must be an address or an object id' };
  if (keyword === 'pattern' && /\/sources\/\d+$/.test(instancePath)) {
    return { pointer, fault: sourcePatternError(String(data)) ?? message };
  }
  if (keyword === 'enum') return { pointer, fault: `must be one of ${params['allowedValues']}` };
  return { pointer, fault: message };
}

/** The parser's own message quotes the document. */
function positionOf(error: unknown): string {
  const position = /at position (\d+)/.exec(String(error))?.[1];
  return position === undefined ? '' : ` (at character ${position})`;
}

function broken(source: string, fault: string): PolicyResult {
  return { kind: 'broken', source, faults: [{ pointer: '/', fault }] };
}

type FileText =
  | { kind: 'text'; text: string }
  | { kind: 'absent'; code: 'ENOENT' }
  | { kind: 'unreadable'; code: string };

function readText(path: string): FileText {
  try {
    return { kind: 'text', text: readFileSync(path, 'utf8') };
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';
    return code === 'ENOENT' ? { kind: 'absent', code } : { kind: 'unreadable', code };
  }
}

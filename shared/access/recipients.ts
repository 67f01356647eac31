import { foldCase, type NameSet } from './policy.ts';

/** The SMTP limits: 64 characters before the @, 255 after it (RFC 5321, section 4.5.3.1). */
const MAX_ADDRESS_LENGTH = 320;

/**
 * RFC 5322's atext with letters, marks and digits of any script, without the characters that relays have read as routes
 * (`user%other.example@contoso.com`, `other.example!user@contoso.com`) and without the wildcard of the policy.
 */
const LOCAL_PART = /^[\p{L}\p{M}\p{N}#$&'+/=?^_`{|}~.-]+$/u;
const DOMAIN = /^[\p{L}\p{M}\p{N}.-]+$/u;

/** Exchange decodes such an address of an own domain, and delivers to the address inside (MS-OXCMAIL, section 2.1.3.1.8). */
const ENCAPSULATED = /^imcea/;

/**
 * One plain address, ready for comparison; undefined for any other text: a list, a name before the address, quotes, comments,
 * white space, control characters, or characters that another reader may normalise to different ones.
 */
export function foldAddress(text: string): string | undefined {
  if (text.length > MAX_ADDRESS_LENGTH || text.normalize('NFKC') !== text) return undefined;
  const folded = foldCase(text);
  const [local = '', domain = '', ...more] = folded.split('@');
  const isPlain = LOCAL_PART.test(local) && hasDots(local) && !ENCAPSULATED.test(local) && isDomain(domain);
  return isPlain && more.length === 0 ? folded : undefined;
}

/** Dots only between other characters. */
function hasDots(text: string): boolean {
  return text.split('.').every((part) => part !== '');
}

function isDomain(text: string): boolean {
  return DOMAIN.test(text) && text.split('.').every((label) => label !== '' && !/^-|-$/.test(label));
}

/** What is wrong with a member of `recipients` in the policy; undefined: nothing. */
export function recipientPatternError(pattern: string): string | undefined {
  const isValid = pattern === '*' || foldAddress(pattern.replace(/^\*@/, 'any@')) !== undefined;
  return isValid ? undefined : 'must be one plain address, *@domain or *';
}

/** What a caller's entry in the policy says of recipients. */
export interface RecipientRules {
  /** Addresses, domains (without their subdomains) and the wildcard; an empty set admits nobody. */
  readonly recipients: NameSet;
  /** Over To, Cc and Bcc together. */
  readonly maxRecipients: number;
}

/** `index` is the place in the addresses that were asked for. */
export type RecipientRefusal =
  | { readonly kind: 'notPlain'; readonly index: number }
  | { readonly kind: 'notAdmitted'; readonly index: number }
  | { readonly kind: 'tooMany'; readonly count: number; readonly max: number };

/** Everything that keeps a mail from these addresses; empty: all are admitted. Addresses that occur twice count twice. */
export function refusedRecipients(
  { recipients, maxRecipients }: RecipientRules,
  addresses: readonly string[],
): readonly RecipientRefusal[] {
  const refusals = addresses.flatMap((address, index): RecipientRefusal[] => {
    const folded = foldAddress(address);
    if (folded === undefined) return [{ kind: 'notPlain', index }];
    return admittedByRule(recipients, folded) === undefined ? [{ kind: 'notAdmitted', index }] : [];
  });
  const { length: count } = addresses;
  return count > maxRecipients ? [...refusals, { kind: 'tooMany', count, max: maxRecipients }] : refusals;
}

/** The place in the policy that admits an address, or undefined. */
export function recipientAdmittedBy({ recipients }: RecipientRules, address: string): string | undefined {
  const folded = foldAddress(address);
  return folded === undefined ? undefined : admittedByRule(recipients, folded);
}

function admittedByRule({ exact, domains, any }: NameSet, folded: string): string | undefined {
  return exact.get(folded) ?? domains.get(folded.slice(folded.indexOf('@') + 1)) ?? any;
}

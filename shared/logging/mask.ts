import { hash } from 'node:crypto';
import { foldCase } from '../access/policy.ts';
import { MAX_CAUSE_LENGTH } from '../common/limits.ts';

/** Tokens, keys and signed addresses are long runs of these characters; no word of an error message is. */
const SECRET_CHARACTERS = /[\w\-.~+/=%]+/g;
const MIN_SECRET_LENGTH = 32;

const URLS = /https?:\/\/[^\s"'<>]+/g;

/**
 * The error and its causes in one line, for the log: names, codes and messages, without anything that looks like a
 * secret, and without a stack (placeOf.ts says where).
 */
export function formatCause(error: unknown): string {
  const parts: string[] = [];
  for (let current = error; current !== undefined && current !== null && parts.length < 4; ) {
    parts.push(describeOne(current));
    // Node tries IPv4 and IPv6 and reports both failures as one without a message.
    current =
      current instanceof AggregateError ? current.errors[0] : current instanceof Error ? current.cause : undefined;
  }
  return maskSecrets(parts.join(' <- ')).slice(0, MAX_CAUSE_LENGTH);
}

function describeOne(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : '';
  return `${error.name}${code}: ${error.message}`;
}

export function maskSecrets(text: string): string {
  return text
    .replace(URLS, withoutQuery)
    .replace(SECRET_CHARACTERS, (run) => (run.length < MIN_SECRET_LENGTH ? run : '***'));
}

/** Everything after a question mark in a URL may be a signature. */
function withoutQuery(url: string): string {
  const end = url.indexOf('?');
  return end < 0 ? url : `${url.slice(0, end)}?***`;
}

/** Joins the lines of one upload; its id, from which the store's name is made in another way, cannot be had from this. */
export function hashUploadId(id: string): string {
  return hash('sha256', `log ${id}`, 'hex').slice(0, 16);
}

/** The same mailbox in any letter case gives the same 16 hex digits; so that one can be looked for without being shown. */
export function hashMailbox(mailbox: string): string {
  return hash('sha256', foldCase(mailbox), 'hex').slice(0, 16);
}

import type { EmulatedSite } from '../../local/emulatedSite.ts';

/** A token, a part of one, or a signature is a run of these characters. */
const TOKEN_LIKE = /[\w-]{20,}/g;

/** A stack frame, in plain text or with its line break escaped in JSON. */
const STACK_FRAME = /(?:\s|\\n)at \S.*(?:\.[cm]?[jt]s|node:[\w/]+):\d+:\d+/;

/** What a text holds that nobody but the parties to it may see, in words; empty where it is clean. */
export function findSecrets(
  { identity, graph, storage }: Pick<EmulatedSite, 'identity' | 'graph'> & Partial<Pick<EmulatedSite, 'storage'>>,
  text: string,
): string[] {
  const found: string[] = [];
  // A user's token is a JWT: each of its parts would be one too many.
  const sent = new Set(graph.requests.flatMap(({ headers }) => headers.authorization?.split(/[ .]/) ?? []));
  for (const run of text.match(TOKEN_LIKE) ?? []) {
    if (identity.tokens.check(run).kind !== 'unknown' || sent.has(run)) found.push('a token for Graph');
  }
  if (text.includes(identity.env.IDENTITY_HEADER)) found.push('the secret of the identity endpoint');
  if (storage !== undefined && text.includes(storage.accountKey)) found.push('the key of the storage account');
  if (/authtoken|attachmentSessions/i.test(text)) found.push('an uploadUrl');
  if (STACK_FRAME.test(text)) found.push('a stack');
  return found;
}

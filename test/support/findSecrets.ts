import type { EmulatedSite } from '../../local/emulatedSite.ts';

/** A token, a part of one, or a signature is a run of these characters. */
const TOKEN_LIKE = /[\w-]{20,}/g;

/** 32 random bytes in base64url: the id of an upload or a job, which is all that its address asks for. */
const UPLOAD_ID = /(?<![\w-])[\w-]{43}(?![\w-])/;

/** A stack frame, in plain text or with its line break escaped in JSON. */
const STACK_FRAME = /(?:\s|\\n)at \S.*(?:\.[cm]?[jt]s|node:[\w/]+):\d+:\d+/;

/** What a text holds that nobody but the parties to it may see, in words; empty where it is clean. */
export function findSecrets(
  { identity, graph, storage }: Pick<EmulatedSite, 'identity' | 'graph'> & Partial<Pick<EmulatedSite, 'storage'>>,
  text: string,
): string[] {
  const found: string[] = [];
  const sent = tokensIn(graph.requests);
  for (const run of text.match(TOKEN_LIKE) ?? []) {
    if (identity.tokens.check(run).kind !== 'unknown' || sent.has(run)) found.push('a token for Graph');
  }
  if (text.includes(identity.env.IDENTITY_HEADER)) found.push('the secret of the identity endpoint');
  if (storage !== undefined && text.includes(storage.accountKey)) found.push('the key of the storage account');
  if (/authtoken|attachmentSessions/i.test(text)) found.push('an uploadUrl');
  if (UPLOAD_ID.test(text)) found.push('the id of an upload');
  if (STACK_FRAME.test(text)) found.push('a stack');
  return found;
}

const known = new WeakMap<object, { readonly count: number; readonly tokens: ReadonlySet<string> }>();

/** What was sent to Graph, kept while no more comes. A user's token is a JWT: each of its parts would be one too many. */
function tokensIn(requests: EmulatedSite['graph']['requests']): ReadonlySet<string> {
  const last = known.get(requests);
  if (last?.count === requests.length) return last.tokens;
  const tokens = new Set(requests.flatMap(({ headers }) => headers.authorization?.split(/[ .]/) ?? []));
  known.set(requests, { count: requests.length, tokens });
  return tokens;
}

/** What an id must not hold: each could name another resource than the one meant once a URL is built from it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const UNSAFE = /[/\\?#%\u0000-\u001f\u007f-\u009f]/;

/** Says what keeps an id, decoded once, from being sent to Graph; undefined where nothing does. Ids are opaque otherwise. */
export function idError(id: string): string | undefined {
  if (id === '') return 'is empty';
  if (id === '.' || id === '..') return 'is a dot segment';
  if (!UNSAFE.test(id) && id.isWellFormed()) return undefined;
  return 'holds one of / \\ ? # %, a control character, or half a surrogate pair';
}

/** One `@`, and `#` only before it: `guest_x.com#EXT#@contoso.com`. */
const NAME_WITH_HASH = /^[^@#]+#[^@]*@[^@#]+$/;
const OBJECT_ID_BEFORE_HASH = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}#/i;

/**
 * As idFault, for a mailbox: a userPrincipalName may hold `#`, that of every guest does, and Graph takes it as `%23`
 * (learn.microsoft.com/graph/api/user-get). It is allowed if the text before it names no other mailbox by itself, so that a
 * reader who takes it for the start of a fragment finds nothing.
 */
export function mailboxError(id: string): string | undefined {
  return idError(NAME_WITH_HASH.test(id) && !OBJECT_ID_BEFORE_HASH.test(id) ? id.replaceAll('#', '') : id);
}

/** What an id must not hold: each could name another resource than the one meant once a URL is built from it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const UNSAFE = /[/\\?#%\u0000-\u001f\u007f-\u009f]/;

/** Says what keeps an id, decoded once, from being sent to Graph; undefined where nothing does. Ids are opaque otherwise. */
export function idFault(id: string): string | undefined {
  if (id === '') return 'is empty';
  if (id === '.' || id === '..') return 'is a dot segment';
  if (!UNSAFE.test(id) && id.isWellFormed()) return undefined;
  return 'holds one of / \\ ? # %, a control character, or half a surrogate pair';
}

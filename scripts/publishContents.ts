/** Excluded whatever .funcignore says. Azure Functions Core Tools: FileSystemHelpers.GetLocalFiles */
const EXCLUDED_FOLDERS = ['.git', '.vscode'];
const EXCLUDED_FILES = ['.funcignore', '.gitignore', 'local.settings.json', 'project.lock.json'];

/**
 * The files among `files` (relative to the app's root, with slashes) that `func azure functionapp publish` and `func pack`
 * put into the package, in the order given. `funcignore` is the text of .funcignore, which is not a gitignore file:
 * a pattern is anchored at the root, matches every name that goes on after a word boundary, `*` needs at least one
 * character and stays within a segment, `**` needs one as well, brackets and `?` are literal, and a `!` line wins
 * wherever it stands. Azure Functions Core Tools: GitIgnoreParser
 */
export function publishContents(files: readonly string[], funcignore: string): readonly string[] {
  const lines = funcignore
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const ignored = matcher(lines.filter((line) => !line.startsWith('!')));
  const kept = matcher(lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1)));
  return files.filter((file) => !isAlwaysExcluded(file) && (kept(file) || !ignored(file)));
}

function isAlwaysExcluded(file: string): boolean {
  const folders = file.toLowerCase().split('/');
  const name = folders.pop() ?? '';
  return EXCLUDED_FILES.includes(name) || folders.some((folder) => EXCLUDED_FOLDERS.includes(folder));
}

function matcher(patterns: readonly string[]): (file: string) => boolean {
  if (patterns.length === 0) return () => false;
  const alternatives = patterns.map((pattern) => `(${expression(pattern.replace(/^\//, ''))})`);
  const expressions = new RegExp(`^(${alternatives.join('|')})\\b`);
  return (file) => expressions.test(file);
}

function expression(pattern: string): string {
  return pattern
    .replace(/[-[\]/{}()+?.\\^$|]/g, '\\$&')
    .replaceAll('**', '(.+)')
    .replaceAll('*', '([^\\/]+)');
}

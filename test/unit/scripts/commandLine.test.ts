import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import packageJson from '../../../package.json' with { type: 'json' };

const ROOT = join(__dirname, '..', '..', '..');

/** The commands that run a file of scripts/ and nothing else. */
const commands = Object.entries(packageJson.scripts).flatMap(([name, command]) => {
  const file = /^node (scripts\/\w+\.ts)$/.exec(command)?.[1];
  return file === undefined ? [] : [[name, file] as const];
});

function run(file: string, ...args: string[]) {
  return spawnSync(process.execPath, [file, ...args], { cwd: ROOT, encoding: 'utf8' });
}

test.each(commands)('npm run %s prints its usage with --help', (name, file) => {
  const { status, stdout, stderr } = run(file, '--help');

  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(new RegExp(`^(Usage: )?npm run ${name}`));
});

test.each(commands)('npm run %s names an unknown option in one line', (_, file) => {
  const { status, stdout, stderr } = run(file, '--nonsense');

  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toBe("Unknown option '--nonsense'. Use --help for the usage.\n");
});

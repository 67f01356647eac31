import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { REPOSITORY_ROOT } from '../support/site.ts';

const run = promisify(execFile);
const demo = path.join(REPOSITORY_ROOT, 'local', 'demo.ts');
const WAYS = [
  'Bytes in one call',
  "Graph's own JSON in one call",
  'From an address',
  'Chunks, as workflows send them',
  'An upload session, with a stock client',
];

/** What it printed of each way. */
function sectionsOf(stdout: string): string[][] {
  return stdout
    .trim()
    .split('\n\n')
    .slice(1)
    .map((section) => section.split('\n'));
}

test('npm run demo attaches a file in each of the ways, shows how far it is, and names the attachment', async () => {
  const { stdout, stderr } = await run(process.execPath, [demo]);

  expect(stderr).toBe('');
  expect(stdout).toMatch(/^report\.pdf, 5242880 bytes, to drafts in the mailbox of adele@contoso\.example\n/);
  const sections = sectionsOf(stdout);
  expect(sections.map(([way]) => way)).toEqual(WAYS);
  for (const [, ...lines] of sections) {
    expect(lines[0]).toMatch(/░ 0 % {2}0 of 5242880 bytes$/);
    expect(lines.at(-2)).toMatch(/█ 100 % {2}5242880 of 5242880 bytes$/);
    expect(lines.at(-1)).toMatch(/^Attachment: AAMk\S+$/);
  }
  const ids = sections.map((lines) => lines.at(-1));
  expect(new Set(ids).size).toBe(WAYS.length);
});

test('npm run demo -- FILE takes a file of any name, and leaves out what its size does not admit', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'demo-test-'));
  const file = path.join(folder, 'Notiz für Zoë.txt');
  writeFileSync(file, 'Hello.');

  const { stdout } = await run(process.execPath, [demo, file]);
  rmSync(folder, { recursive: true });

  const sections = sectionsOf(stdout);
  expect(sections.map((lines) => lines.at(-1))).toEqual([
    ...WAYS.slice(1).map(() => expect.stringMatching(/^Attachment: AAMk/)),
    'Left out: it takes files of 3000000 to 157286400 bytes.',
  ]);
});

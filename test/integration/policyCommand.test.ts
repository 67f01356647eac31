import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parsePolicy } from '../../shared/caller/loadPolicy.ts';
import { REPOSITORY_ROOT } from '../support/site.ts';

const DOCUMENT = readFileSync(path.join(REPOSITORY_ROOT, 'docs', 'policy.md'), 'utf8');
const EXAMPLE = /\n## An example\n.*?```json\n(.*?)```/s.exec(DOCUMENT)?.[1] ?? '';
const SCHEMA: { definitions: { caller: { properties: Record<string, unknown> } } } = JSON.parse(
  readFileSync(path.join(REPOSITORY_ROOT, 'docs', 'policy.schema.json'), 'utf8'),
);
const MEMBERS = Object.keys(SCHEMA.definitions.caller.properties);

describe('docs/policy.md', () => {
  test('has an example that is valid and shows every member', () => {
    const document: { callers: Record<string, unknown>[] } = JSON.parse(EXAMPLE);

    expect(parsePolicy(document)).toMatchObject({ kind: 'ok' });
    expect([...new Set(document.callers.flatMap(Object.keys))].sort()).toEqual([...MEMBERS].sort());
  });

  test('explains every member', () => {
    const rows = /\n## The members of a caller\n(.*?)\n## /s.exec(DOCUMENT)?.[1] ?? '';

    expect([...rows.matchAll(/^\| `(\w+)` \|/gm)].map(([, member]) => member).sort()).toEqual([...MEMBERS].sort());
  });
});

describe('npm run policy', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'policy-'));
    writeFileSync(path.join(folder, 'policy.json'), EXAMPLE);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function run(...args: string[]) {
    const script = path.join(REPOSITORY_ROOT, 'scripts', 'policy.ts');
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  }

  const [, transcript = ''] = /```console\n(.*?)```/s.exec(DOCUMENT) ?? [];
  const shown = [...transcript.matchAll(/^\$ npm run -s policy -- (.*)\n(.*)\n/gm)].map(
    ([, args = '', output = '']) => {
      return [args, output] as const;
    },
  );

  test('is shown in docs/policy.md', () => {
    expect(shown.length).toBeGreaterThanOrEqual(5);
  });

  test.each(shown)('prints what docs/policy.md shows: %s', (args, output) => {
    expect(run(...args.split(' '))).toEqual({
      status: output.startsWith('denied') ? 1 : 0,
      stdout: `${output}\n`,
      stderr: '',
    });
  });

  const ask = ['explain', '--kind', 'message', '--size', '1'];
  const USER = '0f8c1f0e-52c0-4f0c-9d52-3f6b7b2a9a44';

  test.each<[string[], number, string]>([
    [[...ask, '--caller', 'Mail add-in', '--user', USER, '--mailbox', 'me'], 0, 'allowed by /callers/2/delegated true'],
    [[...ask, '--caller', 'Mail add-in', '--mailbox', 'me'], 1, 'denied: nothing says which mailbox me is'],
    [
      [...ask, '--caller', 'Invoices', '--user', USER, '--mailbox', 'me'],
      1,
      'denied (delegatedNotAdmitted) by /callers/0/',
    ],
    [
      [...ask, '--caller', 'Archive', '--me-mailbox', 'a@b.example', '--mailbox', 'me'],
      0,
      'allowed by /callers/1/mailboxes/0',
    ],
    [[...ask, '--caller', 'nobody', '--mailbox', 'me'], 1, 'denied (unknownCaller) by /callers'],
  ])('answers %j with exit code %i', (args, status, output) => {
    const result = run(...args);

    expect(result).toMatchObject({ status, stderr: '' });
    expect(result.stdout).toContain(output);
  });

  test('lists several faults at once, each with its place', () => {
    const document = {
      callers: [
        { name: '', appId: 'x', kinds: ['mail'] },
        { name: 'a', functionKey: true, kinds: ['message'], maxBytes: 0, mailboxes: ['a b', '*@*'] },
      ],
      version: 1,
    };
    writeFileSync(path.join(folder, 'broken.json'), JSON.stringify(document));

    const checked = run('check', '--file', 'broken.json');
    const explained = run(...ask, '--caller', 'a', '--mailbox', 'me', '--file', 'broken.json');

    expect(explained).toEqual(checked);
    expect([checked.status, checked.stdout]).toEqual([1, '']);
    const places = checked.stderr
      .trim()
      .split('\n')
      .map((line) => /^broken\.json(\S*): \S/.exec(line)?.[1]);
    expect(places.sort()).toEqual([
      ...[
        '/callers/0/appId',
        '/callers/0/kinds/0',
        '/callers/0/name',
        '/callers/1/mailboxes/0',
        '/callers/1/mailboxes/1',
      ],
      ...['/callers/1/maxBytes', '/version'],
    ]);
  });

  test.each([
    ['a file that is missing', 'missing.json', undefined],
    ['a file that is no JSON', 'half.json', '{"callers": ['],
  ])('exits 1 on %s and names it', (_, name, content) => {
    if (content !== undefined) writeFileSync(path.join(folder, name), content);

    const { status, stderr } = run('check', '--file', name);

    expect([status, stderr.startsWith(`${name}: `)]).toEqual([1, true]);
  });

  test.each<[string, string[]]>([
    ['an unknown command', ['explode']],
    ['no command', []],
    ['an unknown command without a policy', ['explode', '--file', 'missing.json']],
    ['an unknown option', ['check', '--flie', 'policy.json']],
    ['no size', ['explain', '--caller', 'Invoices', '--mailbox', 'me', '--kind', 'message']],
    ['a size that is no number', [...ask, '--size', '5MB', '--caller', 'Invoices', '--mailbox', 'me']],
    ['an unknown kind', [...ask, '--kind', 'mail', '--caller', 'Invoices', '--mailbox', 'me']],
    ['mailbox and group', [...ask, '--caller', 'Invoices', '--mailbox', 'me', '--group', 'x']],
  ])('exits 2 and shows how to call it: %s', (_, args) => {
    const { status, stdout, stderr } = run(...args);

    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain('npm run policy -- explain --caller');
  });
});

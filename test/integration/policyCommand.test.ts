import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parsePolicy } from '../../shared/access/loadPolicy.ts';
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
    writeFileSync(path.join(folder, 'host.json'), '{"version": "2.0"}');
    writeFileSync(path.join(folder, 'policy.json'), EXAMPLE);
    mkdirSync(path.join(folder, 'below'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (...args: string[]) => runWith({}, ...args);

  /** With these settings in the environment, `cwd` below the folder that holds host.json. */
  function runWith({ cwd = '.', ...settings }: Record<string, string>, ...args: string[]) {
    const script = path.join(REPOSITORY_ROOT, 'scripts', 'policy.ts');
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
      cwd: path.resolve(folder, cwd),
      env: { PATH: process.env['PATH'], ...settings },
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  }

  const [, transcript = ''] = /```console\n(.*?)```/s.exec(DOCUMENT) ?? [];
  const shown = [...transcript.matchAll(/^\$ npm run -s policy -- (.*)\n((?:[^$].*\n)+)/gm)].map(
    ([, args = '', output = '']) => [args, output] as const,
  );

  test('is shown in docs/policy.md', () => {
    expect(shown.length).toBeGreaterThanOrEqual(5);
  });

  test.each(shown)('prints what docs/policy.md shows: %s', (args, output) => {
    expect(run(...args.split(' '))).toEqual({
      status: output.startsWith('denied') ? 1 : 0,
      stdout: output,
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
    [[...ask, '--caller', 'Workflows', '--mailbox', 'me'], 1, 'denied (operation) by /callers/4/operations'],
    [
      [...ask, '--caller', 'Workflows', '--mailbox', 'me', '--operation', 'attach', '--source', 'https://a.example/b'],
      1,
      'denied (source) by /callers/4/sources (absent)',
    ],
    [[...ask, '--caller', 'Assistant', '--mailbox', 'me'], 1, 'denied (appNotAdmitted) by /callers/3/actsAs "user"'],
    [[...ask, '--caller', 'Assistant', '--mailbox', 'me', '--user', USER], 0, 'allowed by /callers/3/delegated true'],
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
    [
      'policy.json in the folder of host.json, from a folder below',
      { cwd: 'below' },
      'policy.json: 5 callers, no fault',
    ],
    [
      'POLICY_FILE, from the folder of host.json',
      { cwd: 'below', POLICY_FILE: 'other.json' },
      'other.json: 1 caller, no fault',
    ],
    ['POLICY', { POLICY: '{"callers": []}' }, 'POLICY: 0 callers, no fault'],
    ['UPLOAD_URL', { POLICY_FILE: 'other.json', UPLOAD_URL: 'proxy' }, 'createUploadSession with uploadUrl proxy'],
  ])('reads what the app would read: %s', (_, settings, output) => {
    const entry = { name: 'Other', functionKey: true, kinds: ['message'] };
    writeFileSync(path.join(folder, 'other.json'), JSON.stringify({ callers: [entry] }));

    const { status, stdout, stderr } = runWith(settings, 'check');

    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain(output);
  });

  test('reads the settings of local.settings.json, and the environment before them', () => {
    const values = { IsEncrypted: false, Values: { POLICY: '{"callers": []}', CALLER_AUTH: 'functionKey' } };
    writeFileSync(path.join(folder, 'below', 'host.json'), '{"version": "2.0"}');
    writeFileSync(path.join(folder, 'below', 'local.settings.json'), JSON.stringify(values));

    expect(runWith({ cwd: 'below' }, 'check').stdout).toBe('POLICY: 0 callers, no fault\n');
    expect(runWith({ cwd: 'below', POLICY: 'null' }, 'check').stderr).toBe('POLICY: must be object\n');
    expect(runWith({ cwd: 'below' }, 'check', '--file', '../policy.json').stderr).toBe(
      '../policy.json/callers/3/actsAs: user needs CALLER_AUTH=entra\n',
    );
    rmSync(path.join(folder, 'below', 'host.json'));
  });

  test.each([
    ['POLICY that is not JSON', { POLICY: '{' }, 'POLICY: must be JSON\n'],
    [
      'POLICY together with POLICY_FILE',
      { POLICY: '{"callers": []}', POLICY_FILE: 'policy.json' },
      'POLICY: must not be set beside POLICY_FILE\n',
    ],
    ['UPLOAD_URL', { UPLOAD_URL: 'outlook' }, 'UPLOAD_URL: must be one of graph, proxy\n'],
    [
      'ALLOW_ANY_MAILBOX together with a policy',
      { ALLOW_ANY_MAILBOX: 'true' },
      'policy.json: ALLOW_ANY_MAILBOX=true is refused beside a policy\n',
    ],
    [
      'users without tokens',
      { CALLER_AUTH: 'functionKey' },
      'policy.json/callers/3/actsAs: user needs CALLER_AUTH=entra\n',
    ],
    [
      'users whom nobody can act for',
      { CALLER_AUTH: 'entra' },
      'policy.json/callers/3/actsAs: user needs OBO_CLIENT_ID\n',
    ],
    ['a named file that is missing', { POLICY_FILE: 'gone.json' }, 'gone.json: the file cannot be read (ENOENT)\n'],
  ])('exits 1 on what the app would refuse: %s', (_, settings, stderr) => {
    expect(runWith(settings, 'check')).toEqual({ status: 1, stdout: '', stderr });
  });

  test('explains what is reachable where there is no policy', () => {
    const bare = mkdtempSync(path.join(folder, 'bare-'));
    writeFileSync(path.join(bare, 'host.json'), '{"version": "2.0"}');
    const settings = { cwd: bare, ME_MAILBOX: 'adele@contoso.example' };

    expect(runWith(settings, 'check')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^There is no policy/),
    });
    expect(runWith(settings, ...ask, '--caller', 'functionKey', '--mailbox', 'me')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^allowed by ME_MAILBOX\n/),
    });
    expect(runWith(settings, ...ask, '--caller', 'functionKey', '--mailbox', 'b@contoso.example').status).toBe(1);
  });

  test.each(['--help', '-h'])('answers %s', (option) => {
    const { status, stdout, stderr } = run(option);

    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('npm run policy -- explain --caller');
  });

  test('demands --file outside of any app', () => {
    const { status, stderr } = runWith({ cwd: tmpdir() }, 'check');

    expect(status).toBe(2);
    expect(stderr).toMatch(/^There is no host.json here/);
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
    ['an unknown operation', [...ask, '--operation', 'send', '--caller', 'Invoices', '--mailbox', 'me']],
    ['a source of a session', [...ask, '--source', 'https://a.example/', '--caller', 'Invoices', '--mailbox', 'me']],
    ['mailbox and group', [...ask, '--caller', 'Invoices', '--mailbox', 'me', '--group', 'x']],
  ])('exits 2 and says in one line what is wrong: %s', (_, args) => {
    const { status, stdout, stderr } = run(...args);

    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^[^\n]+\. Use --help for the usage\.\n$/);
  });
});

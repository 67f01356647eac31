import { spawnSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { buildDotnet } from '../support/dotnet.ts';
import { EXAMPLES, exampleSettings, expectAttached, KEY, runProgram, writeExampleFile } from '../support/examples.ts';
import { type SecureSite, startSecureSite } from '../support/secureSite.ts';

const empty = writeExampleFile(0);
const oneByte = writeExampleFile(1);
const large = writeExampleFile(20_000_000);
const files = [empty, oneByte, large];
const dotnet = buildDotnet(path.join(EXAMPLES, 'csharp', 'Attach.csproj'), empty.folder);
const hasPowerShell = spawnSync('pwsh', ['-Version']).status === 0;

let site: SecureSite;

beforeAll(async () => {
  site = await startSecureSite({ host: { enableAuth: true, functionKey: KEY } });
});
beforeEach(() => {
  site.graph.reset();
  site.front.reset();
});
afterAll(async () => {
  await site.close();
  for (const file of files) file.remove();
});

interface Example {
  readonly name: string;
  readonly command: string;
  readonly program: string;
  /** Waits for the proxy before it sends the file. */
  readonly waits: boolean;
}

const EXAMPLE_PROGRAMS: readonly Example[] = [
  { name: 'curl', command: 'bash', program: path.join(EXAMPLES, 'attach.sh'), waits: true },
  { name: 'Python', command: 'python3', program: path.join(EXAMPLES, 'attach.py'), waits: false },
  { name: 'Node', command: process.execPath, program: path.join(EXAMPLES, 'attach.mjs'), waits: true },
  ...(dotnet.kind === 'built' ? [{ name: 'C#', command: 'dotnet', program: dotnet.program, waits: true }] : []),
  ...(hasPowerShell
    ? [{ name: 'PowerShell', command: 'pwsh', program: path.join(EXAMPLES, 'attach.ps1'), waits: true }]
    : []),
];

const RUNS = EXAMPLE_PROGRAMS.flatMap((example) =>
  files.map((file) => ({ ...example, file, size: file.content.length })),
);

test.each(RUNS)('attaches $size bytes in one streamed request with $name', async (example) => {
  const { command, program, waits, file } = example;

  const output = await runProgram(command, [program, file.path], exampleSettings(site.front.url, site.caPath));

  expectAttached(site, file, output);
  const [call, ...others] = site.front.requests;
  expect(others).toEqual([]);
  expect(call?.headers).toMatchObject({ 'transfer-encoding': 'chunked', 'x-functions-key': KEY });
  expect(call?.headers.expect).toBe(waits ? '100-continue' : undefined);
});

test.each(EXAMPLE_PROGRAMS)(
  'fails with the words of the answer where there is no such message, with $name',
  async (example) => {
    const elsewhere = { ...exampleSettings(site.front.url, site.caPath), MESSAGE_ID: 'AAMkAGnowhere=' };

    const running = runProgram(example.command, [example.program, large.path], elsewhere);

    await expect(running).rejects.toThrow('The specified object was not found in the store.');
    expect(site.graph.attachments(ADELE.userPrincipalName, ADELE.items.message[0])).toEqual([]);
  },
);

test('shows the error of a request that is refused before the file is sent, with Python', async () => {
  const running = runProgram('python3', [path.join(EXAMPLES, 'attach.py'), large.path], {
    ...exampleSettings(site.front.url, site.caPath),
    PROXY_KEY: 'wrong',
  });

  await expect(running).rejects.toThrow('The proxy answered 401');
});

test('checks the size of the file first, with Python', async () => {
  const huge = path.join(empty.folder, 'huge.bin');
  writeFileSync(huge, '');
  truncateSync(huge, 157_286_401);

  const running = runProgram(
    'python3',
    [path.join(EXAMPLES, 'attach.py'), huge],
    exampleSettings(site.front.url, site.caPath),
  );

  await expect(running).rejects.toThrow('157286401 bytes; Outlook takes at most 157,286,400.');
  expect(site.front.requests).toEqual([]);
});

if (dotnet.kind === 'skipped') test.skip(`attaches a file with C#: ${dotnet.why}`, () => {});
if (!hasPowerShell) test.skip('attaches a file with PowerShell: there is no pwsh', () => {});

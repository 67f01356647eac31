import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { ADELE } from '../../local/emulators/seed.ts';
import { buildDotnet } from '../support/dotnet.ts';
import { EXAMPLES, exampleSettings, expectAttached, KEY, runProgram, writeExampleFile } from '../support/examples.ts';
import { type SecureSite, startSecureSite } from '../support/secureSite.ts';

const file = writeExampleFile();
const dotnet = buildDotnet(path.join(EXAMPLES, 'csharp', 'Attach.csproj'), file.folder);
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
  file.remove();
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
  { name: 'Node', command: process.execPath, program: path.join(EXAMPLES, 'attach.mjs'), waits: false },
  ...(dotnet.kind === 'built' ? [{ name: 'C#', command: 'dotnet', program: dotnet.program, waits: true }] : []),
  ...(hasPowerShell
    ? [{ name: 'PowerShell', command: 'pwsh', program: path.join(EXAMPLES, 'attach.ps1'), waits: true }]
    : []),
];

test.each(EXAMPLE_PROGRAMS)('attaches a file in one call with $name, in a stream', async (example) => {
  const { command, program, waits } = example;

  const output = await runProgram(command, [program, file.path], exampleSettings(site));

  expectAttached(site, output);
  const [call, ...others] = site.front.requests;
  expect(others).toEqual([]);
  expect(call?.headers).toMatchObject({ 'transfer-encoding': 'chunked', 'x-functions-key': KEY });
  expect(call?.headers.expect).toBe(waits ? '100-continue' : undefined);
});

test.each(EXAMPLE_PROGRAMS)(
  'fails with the words of the answer where there is no such message, with $name',
  async (example) => {
    const elsewhere = { ...exampleSettings(site), MESSAGE_ID: 'AAMkAGnowhere=' };

    const running = runProgram(example.command, [example.program, file.path], elsewhere);

    await expect(running).rejects.toThrow('The specified object was not found in the store.');
    expect(site.graph.attachments(ADELE.userPrincipalName, ADELE.items.message[0])).toEqual([]);
  },
);

if (dotnet.kind === 'skipped') test.skip(`attaches a file with C#: ${dotnet.why}`, () => {});
if (!hasPowerShell) test.skip('attaches a file with PowerShell: there is no pwsh', () => {});

import path from 'node:path';
import { buildDotnet } from '../support/dotnet.ts';
import { EXAMPLES, exampleSettings, expectAttached, KEY, runProgram, writeExampleFile } from '../support/examples.ts';
import { type SecureSite, startSecureSite } from '../support/secureSite.ts';

const FOLDER = path.join(EXAMPLES, 'upload-session');
const file = writeExampleFile();
const dotnet = buildDotnet(path.join(FOLDER, 'csharp', 'Upload.csproj'), file.folder);

afterAll(() => file.remove());

const SCRIPTS = [
  ['curl', 'bash', 'upload.sh'],
  ['the Graph SDK for Node', process.execPath, 'upload.mjs'],
  ['Python', 'python3', 'upload.py'],
] as const;

describe.each([
  ["Graph's uploadUrl", 'graph'],
  ["the proxy's uploadUrl", 'proxy'],
])('to %s', (_uploadUrl, UPLOAD_URL) => {
  let site: SecureSite;

  beforeAll(async () => {
    const host = { enableAuth: true, functionKey: KEY };
    site = await startSecureSite({ host, settings: { UPLOAD_URL }, storage: UPLOAD_URL === 'proxy' });
  });
  beforeEach(() => site.graph.reset());
  afterAll(() => site.close());

  test.each(SCRIPTS)('uploads a file with %s', async (_name, command, script) => {
    const output = await runProgram(command, [path.join(FOLDER, script), file.path], exampleSettings(site));

    expectAttached(site, output);
  });

  test.each(SCRIPTS)(
    'fails with the words of the answer where no session is to be had, with %s',
    async (...example) => {
      const [, command, script] = example;
      const elsewhere = { ...exampleSettings(site), MESSAGE_ID: 'AAMkAGnowhere=' };

      const running = runProgram(command, [path.join(FOLDER, script), file.path], elsewhere);

      await expect(running).rejects.toThrow('The specified object was not found in the store.');
      expect(site.graph.requests.map(({ method }) => method)).toEqual(['POST']);
    },
  );

  if (dotnet.kind === 'skipped') {
    test.skip(`uploads a file with C#: ${dotnet.why}`, () => {});
  } else {
    test('uploads a file with C#, which sends its JSON chunked', async () => {
      const output = await runProgram('dotnet', [dotnet.program, file.path], exampleSettings(site));

      expectAttached(site, output);
    });
  }
});

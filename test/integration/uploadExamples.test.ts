import path from 'node:path';
import { buildDotnet } from '../support/dotnet.ts';
import { EXAMPLES, exampleSettings, expectAttached, KEY, runProgram, writeExampleFile } from '../support/examples.ts';
import { type SecureSite, startSecureSite } from '../support/secureSite.ts';
import { startSite } from '../support/site.ts';

const FOLDER = path.join(EXAMPLES, 'upload-session');
const file = writeExampleFile(20_000_000);
const empty = writeExampleFile(0);
const oneByte = writeExampleFile(1);
const dotnet = buildDotnet(path.join(FOLDER, 'csharp', 'Upload.csproj'), file.folder);

afterAll(() => {
  for (const each of [file, empty, oneByte]) each.remove();
});

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
    const output = await runProgram(
      command,
      [path.join(FOLDER, script), file.path],
      exampleSettings(site.front.url, site.caPath),
    );

    expectAttached(site, file, output);
  });

  test.each(SCRIPTS)(
    'fails with the words of the answer where no session is to be had, with %s',
    async (...example) => {
      const [, command, script] = example;
      const elsewhere = { ...exampleSettings(site.front.url, site.caPath), MESSAGE_ID: 'AAMkAGnowhere=' };

      const running = runProgram(command, [path.join(FOLDER, script), file.path], elsewhere);

      await expect(running).rejects.toThrow('The specified object was not found in the store.');
      expect(site.graph.requests.map(({ method }) => method)).toEqual(['POST', 'POST', 'POST']); // An item may be new.
    },
  );

  test.each(SCRIPTS)('shows why a file is too small for an upload session, with %s', async (_name, command, script) => {
    const program = path.join(FOLDER, script);

    const runs = [empty, oneByte].map((small) =>
      runProgram(command, [program, small.path], exampleSettings(site.front.url, site.caPath)),
    );

    const [ofEmpty, ofOneByte] = await Promise.allSettled(runs);
    expect(ofEmpty).toMatchObject({ reason: { message: expect.stringContaining("'size' must be at least 1") } });
    expect(ofOneByte).toMatchObject({ reason: { message: expect.stringContaining('LessThanMinimumSize') } });
  });

  if (dotnet.kind === 'skipped') {
    test.skip(`uploads a file with C#: ${dotnet.why}`, () => {});
  } else {
    test('uploads a file with C#, which sends its JSON chunked', async () => {
      const output = await runProgram(
        'dotnet',
        [dotnet.program, file.path],
        exampleSettings(site.front.url, site.caPath),
      );

      expectAttached(site, file, output);
    });
  }
});

test("uploads a file with the Graph SDK to the local host's own HTTPS address", async () => {
  const site = await startSite({ httpsPort: 0, settings: { UPLOAD_URL: 'proxy' }, storage: true });
  try {
    const settings = exampleSettings(site.httpsUrl ?? '', site.caPath);

    const output = await runProgram(process.execPath, [path.join(FOLDER, 'upload.mjs'), file.path], settings);

    expectAttached(site, file, output);
  } finally {
    await site.close();
  }
});

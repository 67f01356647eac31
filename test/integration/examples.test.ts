import { spawn } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ADELE } from '../../local/emulators/seed.ts';
import { buildDotnet } from '../support/dotnet.ts';
import { type SecureSite, startSecureSite } from '../support/secureSite.ts';
import { REPOSITORY_ROOT } from '../support/site.ts';

const EXAMPLES = path.join(REPOSITORY_ROOT, 'examples');
const [messageId] = ADELE.items.message;
/** Three ranges, the last one short. */
const FILE = randomBytes(9_000_001);
const FILE_NAME = 'year report & plan.pdf';
const KEY = randomUUID();

const folder = mkdtempSync(path.join(tmpdir(), 'examples-'));
const file = path.join(folder, FILE_NAME);
writeFileSync(file, FILE);
const dotnet = buildDotnet(path.join(EXAMPLES, 'csharp', 'Attach.csproj'), folder);

afterAll(() => rmSync(folder, { recursive: true }));

/** What the program wrote; rejects where it fails. */
function run(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (data) => (out += data));
  child.stderr.on('data', (data) => (err += data));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(out) : reject(new Error(`${command} ended with ${code}: ${out}${err}`)),
    );
  });
}

function settings(site: SecureSite): Record<string, string> {
  return {
    PROXY_URL: site.front.url,
    PROXY_KEY: KEY,
    MAILBOX: ADELE.userPrincipalName,
    MESSAGE_ID: messageId,
    NODE_EXTRA_CA_CERTS: site.caPath,
    SSL_CERT_FILE: site.caPath,
    CURL_CA_BUNDLE: site.caPath,
  };
}

/** The file has arrived whole, in three ranges without token or key, and the program printed the attachment's id. */
function expectAttached(site: SecureSite, output: string): void {
  const attachments = site.graph.attachments(ADELE.userPrincipalName, messageId);
  expect(attachments).toEqual([
    expect.objectContaining({
      name: FILE_NAME,
      size: FILE.length,
      sha256: createHash('sha256').update(FILE).digest('hex'),
    }),
  ]);
  expect(output.trim()).toBe(attachments[0]?.id);
  const puts = site.graph.requests.filter(({ method }) => method === 'PUT');
  expect(puts.map(({ headers }) => headers['content-range'])).toEqual([
    'bytes 0-3932159/9000001',
    'bytes 3932160-7864319/9000001',
    'bytes 7864320-9000000/9000001',
  ]);
  expect(puts.flatMap(({ headers }) => headers.authorization ?? headers['x-functions-key'] ?? [])).toEqual([]);
}

const SCRIPTS = [
  ['curl', 'bash', 'attach.sh'],
  ['the Graph SDK for Node', process.execPath, 'attach.mjs'],
  ['Python', 'python3', 'attach.py'],
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

  test.each(SCRIPTS)('attaches a file with %s', async (_name, command, script) => {
    const output = await run(command, [path.join(EXAMPLES, script), file], settings(site));

    expectAttached(site, output);
  });

  test.each(SCRIPTS)(
    'fails with the words of the answer where no session is to be had, with %s',
    async (...example) => {
      const [, command, script] = example;
      const elsewhere = { ...settings(site), MESSAGE_ID: 'AAMkAGnowhere=' };

      const running = run(command, [path.join(EXAMPLES, script), file], elsewhere);

      await expect(running).rejects.toThrow('The specified object was not found in the store.');
      expect(site.graph.requests.map(({ method }) => method)).toEqual(['POST']);
    },
  );

  if (dotnet.kind === 'skipped') {
    test.skip(`attaches a file with C#: ${dotnet.why}`, () => {});
  } else {
    test('attaches a file with C#, which sends its JSON chunked', async () => {
      const output = await run('dotnet', [dotnet.program, file], settings(site));

      expectAttached(site, output);
    });
  }
});

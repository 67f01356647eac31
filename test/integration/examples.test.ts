import { spawn } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ADELE } from '../../local/emulators/seed.ts';
import { hasCommand } from '../support/hasCommand.ts';
import { REPOSITORY_ROOT, type Site, startSite } from '../support/site.ts';

const EXAMPLES = path.join(REPOSITORY_ROOT, 'examples');
const [messageId] = ADELE.items.message;
/** Three ranges, the last one short. */
const FILE = randomBytes(9_000_001);
const FILE_NAME = 'year report & plan.pdf';
const DOTNET_BUILD_MS = 120_000;
const KEY = randomUUID();

let site: Site;
let folder: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'examples-'));
  file = path.join(folder, FILE_NAME);
  [site] = await Promise.all([startSite({ host: { enableAuth: true, functionKey: KEY } }), writeFile(file, FILE)]);
});
beforeEach(() => site.graph.reset());
afterAll(async () => {
  await site.close();
  await rm(folder, { recursive: true });
});

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

function settings(): Record<string, string> {
  return {
    PROXY_URL: site.url,
    PROXY_KEY: KEY,
    MAILBOX: ADELE.userPrincipalName,
    MESSAGE_ID: messageId,
    NODE_EXTRA_CA_CERTS: site.caPath,
    SSL_CERT_FILE: site.caPath,
    CURL_CA_BUNDLE: site.caPath,
  };
}

/** The file has arrived whole, in three ranges without token or key, and the program printed the attachment's id. */
function expectAttached(output: string): void {
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

test.each(SCRIPTS)('attaches a file with %s', async (_name, command, script) => {
  const output = await run(command, [path.join(EXAMPLES, script), file], settings());

  expectAttached(output);
});

test.each(SCRIPTS)('fails with the words of the answer where no session is to be had, with %s', async (...example) => {
  const [, command, script] = example;

  const running = run(command, [path.join(EXAMPLES, script), file], { ...settings(), MESSAGE_ID: 'AAMkAGnowhere=' });

  await expect(running).rejects.toThrow('The specified object was not found in the store.');
  expect(site.graph.requests.map(({ method }) => method)).toEqual(['POST']);
});

const hasDotnet = hasCommand('dotnet', '--list-sdks', /^10\./m);
const testWithDotnet = hasDotnet ? test : test.skip;

testWithDotnet(
  'attaches a file with C#, which sends its JSON chunked (skipped without the .NET 10 SDK)',
  async () => {
    const objects = path.join(folder, 'obj/');
    const build = path.join(folder, 'bin');
    const project = path.join(EXAMPLES, 'csharp', 'Attach.csproj');
    const options = [`-p:BaseIntermediateOutputPath=${objects}`, '-p:UseAppHost=false', '-nodeReuse:false'];
    const quiet = { DOTNET_CLI_TELEMETRY_OPTOUT: '1', DOTNET_NOLOGO: '1', MSBUILDDISABLENODEREUSE: '1' };
    await run('dotnet', ['build', project, '--output', build, ...options, '-p:UseSharedCompilation=false'], quiet);

    const output = await run('dotnet', [path.join(build, 'Attach.dll'), file], settings());

    expectAttached(output);
  },
  DOTNET_BUILD_MS,
);

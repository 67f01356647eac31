import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import path from 'node:path';
import { ADELE, MEGAN } from '../../local/emulators/graph/seed.ts';
import { REPOSITORY_ROOT, type Site, startSite } from '../support/site.ts';

const KEY = randomUUID();
const [messageId] = ADELE.items.message;
const EVERY_STEP = [
  '--mailbox',
  ADELE.userPrincipalName,
  '--message',
  messageId,
  '--refused-mailbox',
  MEGAN.userPrincipalName,
  '--attach',
];

let site: Site;

beforeAll(async () => {
  site = await startSite({ host: { enableAuth: true, functionKey: KEY }, storage: true });
});
beforeEach(() => site.graph.reset());
afterAll(() => site.close());

interface SmokeRun {
  readonly code: number | null;
  readonly output: string;
}

function runSmoke(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<SmokeRun> {
  const script = path.join(REPOSITORY_ROOT, 'scripts', 'smoke.ts');
  const child = spawn(process.execPath, [script, ...args], { env: { ...process.env, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

const smokeSite = (args: readonly string[], url = site.url) =>
  runSmoke(['--url', url, '--ca', site.caPath, ...args], { PROXY_KEY: KEY });

async function addressWithoutListener(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

test('passes every step against a site, and leaves no session behind', async () => {
  const { code, output } = await smokeSite(EVERY_STEP);

  expect(output.split('\n').filter((line) => /^[✗–]/.test(line))).toEqual([]);
  expect(output.match(/^✓ .+ \(\d+ ms\)/gm)).toHaveLength(13);
  expect(code).toBe(0);
  expect(site.graph.requests.map(({ method, status }) => [method, status])).toEqual([
    ['POST', 201],
    ['DELETE', 204],
    ['POST', 201],
    ['DELETE', 204],
    ['POST', 201],
  ]);
  expect(site.graph.attachments(ADELE.userPrincipalName, messageId)).toEqual([
    expect.objectContaining({ name: 'smoke-test.txt', contentType: 'text/plain' }),
  ]);
});

test('takes an uploadUrl of the proxy for one', async () => {
  const throughProxy = await startSite({ storage: true, settings: { UPLOAD_URL: 'proxy' } });

  const { code, output } = await smokeSite(EVERY_STEP.slice(0, 4), throughProxy.url);
  await throughProxy.close();

  expect(output).toMatch(/✓ upload host .*: 127\.0\.0\.1/);
  expect(output).toContain('– file attached: 201: skipped, no --attach');
  expect(code).toBe(0);
});

test('prints neither the key nor the uploadUrl', async () => {
  const { output } = await smokeSite(EVERY_STEP);

  expect(site.graph.requests.map(({ method }) => method)).toContain('DELETE');
  expect(output).not.toContain(KEY);
  expect(output).not.toMatch(/authtoken|AttachmentSessions/i);
});

test('sends no credentials to the upload host', async () => {
  await smokeSite(EVERY_STEP);

  const cancelled = site.graph.requests.find(({ method }) => method === 'DELETE');
  expect(cancelled?.headers).not.toMatchObject({ 'x-functions-key': expect.anything() });
  expect(cancelled?.headers).not.toMatchObject({ authorization: expect.anything() });
});

test('skips, with a word, what it was given nothing for', async () => {
  const { code, output } = await smokeSite([]);

  expect(output).toContain('– upload session: 201: skipped, no --mailbox and --message');
  expect(code).toBe(0);
  expect(site.graph.requests).toEqual([]);
});

test('fails and says what was expected where the credentials are missing', async () => {
  const { code, output } = await runSmoke(['--url', site.url]);

  expect(output).toContain('✓ health');
  expect(output).toContain('– readiness: skipped, it needs --key');
  expect(output).toContain('expected 404 PathNotSupported, got 401 without an error body; pass --key or --token');
  expect(code).toBe(1);
});

test('fails on the refusal of a mailbox that is admitted after all', async () => {
  const { code, output } = await smokeSite(['--refused-mailbox', ADELE.userPrincipalName]);

  expect(output).toMatch(
    /✗ mailbox that is not admitted: 403 .*expected 403 CallerNotAllowed, got 404 ErrorItemNotFound/,
  );
  expect(code).toBe(1);
});

test('fails where Graph refuses the session, with its words', async () => {
  site.graph.play({ error: 'status403' });

  const { code, output } = await smokeSite(EVERY_STEP);

  expect(output).toMatch(/✗ upload session: 201 .*expected 201, got 403 ErrorAccessDenied \(Access is denied/);
  expect(output).toContain('– session cancelled: 204: skipped, no session');
  expect(code).toBe(1);
});

test('fails against a proxy whose policy is broken', async () => {
  const broken = await startSite({ settings: { POLICY: '{"callers": 1}' } });

  const { code, output } = await smokeSite([], broken.url);
  await broken.close();

  expect(output).toMatch(/✗ health .*expected 200, got 503/);
  expect(output).toMatch(/✗ readiness .*expected every check ok, failing: policy/);
  expect(code).toBe(1);
});

test('fails where nothing listens, without the request in its words', async () => {
  const { code, output } = await runSmoke(['--url', await addressWithoutListener(), '--token', KEY]);

  expect(output).toMatch(/✗ health .*ECONNREFUSED/);
  expect(code).toBe(1);
});

test('does not repeat a token that cannot be sent', async () => {
  const { code, output } = await runSmoke(['--url', site.url], { PROXY_TOKEN: `${KEY}\nx` });

  expect(output).toMatch(/✗ wrong body.*the request could not be sent/);
  expect(output).not.toContain(KEY);
  expect(code).toBe(1);
});

test.each([
  [['--url', 'ftp://example.test'], '--url must be an http(s) address.'],
  [['--url', 'https://example.test', '--mailbox', 'a'], '--mailbox and --message go together.'],
  [['--url', 'https://example.test', '--bogus'], '--bogus'],
  [['--url', 'https://example.test', '--ca', 'no such file'], 'no such file'],
])('refuses a wrong call with exit code 2: %j', async (args, expected) => {
  const { code, output } = await runSmoke(args);

  expect(output).toContain(expected);
  expect(output).toMatch(/^[^\n]+\. Use --help for the usage\.\n$/);
  expect(code).toBe(2);
});

import { spawn } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ADELE } from '../../local/emulators/seed.ts';
import type { SecureSite } from './secureSite.ts';
import { REPOSITORY_ROOT } from './site.ts';

export const EXAMPLES = path.join(REPOSITORY_ROOT, 'examples');
/** Demanded by the site. */
export const KEY = randomUUID();

/** Three ranges, the last one short. */
const FILE = randomBytes(9_000_001);
const FILE_NAME = 'year report & plan.pdf';
const [messageId] = ADELE.items.message;

export interface ExampleFile {
  readonly path: string;
  /** For what else a test writes; goes with the file. */
  readonly folder: string;
  remove(): void;
}

export function writeExampleFile(): ExampleFile {
  const folder = mkdtempSync(path.join(tmpdir(), 'examples-'));
  const file = path.join(folder, FILE_NAME);
  writeFileSync(file, FILE);
  return { path: file, folder, remove: () => rmSync(folder, { recursive: true }) };
}

/** What the program wrote; rejects where it fails. */
export function runProgram(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
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

/** The environment that every example reads. */
export function exampleSettings({ front, caPath }: SecureSite): Record<string, string> {
  return {
    PROXY_URL: front.url,
    PROXY_KEY: KEY,
    MAILBOX: ADELE.userPrincipalName,
    MESSAGE_ID: messageId,
    NODE_EXTRA_CA_CERTS: caPath,
    SSL_CERT_FILE: caPath,
    CURL_CA_BUNDLE: caPath,
  };
}

/** The file has arrived whole, in three ranges without token or key, and the program printed the attachment's id. */
export function expectAttached(site: SecureSite, output: string): void {
  const attachments = site.graph.attachments(ADELE.userPrincipalName, messageId);
  const sha256 = createHash('sha256').update(FILE).digest('hex');
  expect(attachments).toEqual([expect.objectContaining({ name: FILE_NAME, size: FILE.length, sha256 })]);
  expect(output.trim()).toBe(attachments[0]?.id);
  const puts = site.graph.requests.filter(({ method }) => method === 'PUT');
  expect(puts.map(({ headers }) => headers['content-range'])).toEqual([
    'bytes 0-3932159/9000001',
    'bytes 3932160-7864319/9000001',
    'bytes 7864320-9000000/9000001',
  ]);
  expect(puts.flatMap(({ headers }) => headers.authorization ?? headers['x-functions-key'] ?? [])).toEqual([]);
}

import { spawn } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { REPOSITORY_ROOT, type Site } from './site.ts';

export const EXAMPLES = path.join(REPOSITORY_ROOT, 'examples');
/** Demanded by the site. */
export const KEY = randomUUID();

const FILE_NAME = 'year report & plan.pdf';
/** Below Graph's 4 MiB for one request, as in every example. */
const RANGE_SIZE = 3_932_160;
const [messageId] = ADELE.items.message;

export interface ExampleFile {
  readonly path: string;
  readonly content: Buffer;
  /** For what else a test writes; goes with the file. */
  readonly folder: string;
  remove(): void;
}

/** Writes random bytes to a file of a folder that is made for it. */
export function writeExampleFile(size: number): ExampleFile {
  const content = randomBytes(size);
  const folder = mkdtempSync(path.join(tmpdir(), 'examples-'));
  const file = path.join(folder, FILE_NAME);
  writeFileSync(file, content);
  return { path: file, content, folder, remove: () => rmSync(folder, { recursive: true }) };
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
export function exampleSettings(proxyUrl: string, caPath: string): Record<string, string> {
  return {
    PROXY_URL: proxyUrl,
    PROXY_KEY: KEY,
    MAILBOX: ADELE.userPrincipalName,
    MESSAGE_ID: messageId,
    NODE_EXTRA_CA_CERTS: caPath,
    SSL_CERT_FILE: caPath,
    CURL_CA_BUNDLE: caPath,
  };
}

/**
 * The file has arrived whole and the program printed the attachment's id. A large file went to Graph in ranges, without the
 * caller's token or key.
 */
export function expectAttached(site: Site, { content }: ExampleFile, output: string): void {
  const attachments = site.graph.attachments(ADELE.userPrincipalName, messageId);
  const sha256 = createHash('sha256').update(content).digest('hex');
  expect(attachments).toEqual([expect.objectContaining({ name: FILE_NAME, size: content.length, sha256 })]);
  expect(output.trim()).toBe(attachments[0]?.id);
  const puts = site.graph.requests.filter(({ method }) => method === 'PUT');
  expect(puts.map(({ headers }) => headers['content-range'])).toEqual(rangesOf(content.length));
  expect(puts.flatMap(({ headers }) => headers.authorization ?? headers['x-functions-key'] ?? [])).toEqual([]);
}

/** None below 3,000,000 bytes: such a file goes to Graph in one request. */
function rangesOf(size: number): string[] {
  if (size < 3_000_000) return [];
  return Array.from({ length: Math.ceil(size / RANGE_SIZE) }, (_, index) => {
    const start = index * RANGE_SIZE;
    return `bytes ${start}-${Math.min(start + RANGE_SIZE, size) - 1}/${size}`;
  });
}

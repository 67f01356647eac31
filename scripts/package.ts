import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync, zipSync } from 'fflate';
import { startEmulatedSite } from '../local/emulatedSite.ts';
import { ADELE } from '../local/emulators/graph/seed.ts';
import { buildApp } from './build.ts';
import { readOptions } from './commandLine.ts';
import { publishContents } from './publishContents.ts';

// `npm run package`: package/app.zip as `func azure functionapp publish --no-build` would ship it, checked and tried.
// With `-- --without-jobs` its host.json has no extension bundle, whose loading costs a start: the app then runs no jobs.

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ZIP = 'package/app.zip';
const MAX_ZIP_BYTES = 1_800_000;

/** What must be in the package, and nothing else; a policy is the deployer's own. */
const ALLOWED = /^(host\.json|package\.json|policy\.json|LICENSE|dist\/[\w.-]+)$/;
const REQUIRED = [
  'host.json',
  'package.json',
  'LICENSE',
  'dist/main.cjs',
  'dist/THIRD-PARTY-LICENSES.txt',
  'dist/openapi.json',
  'dist/swagger.json',
  'dist/docs.html',
];

const USAGE = `Usage: npm run package -- [--without-jobs]
Writes package/app.zip, checks its contents and sends one request to it.
  --without-jobs   without the extension bundle, so that the app starts faster and runs no jobs`;

const hasJobs = !readOptions(USAGE, { 'without-jobs': { type: 'boolean' } })['without-jobs'];
await buildApp();
const names = listContents();
const zip = zipSync(Object.fromEntries(names.map((name) => [name, contentOf(name)])), { level: 9 });
mkdirSync(join(ROOT, dirname(ZIP)), { recursive: true });
writeFileSync(join(ROOT, ZIP), zip);
console.log(`${ZIP}: ${names.length} files, ${zip.byteLength} bytes`);
for (const name of names) console.log(`  ${name}  ${statSync(join(ROOT, name)).size}`);
if (zip.byteLength > MAX_ZIP_BYTES) throw new Error(`The package is over ${MAX_ZIP_BYTES} bytes.`);

await tryPackage(zip);
console.log('Loaded from a folder without node_modules; one request was answered 201.');

function contentOf(name: string): Uint8Array {
  const content = readFileSync(join(ROOT, name));
  if (hasJobs || name !== 'host.json') return content;
  const { extensionBundle: _, ...host } = JSON.parse(content.toString());
  return Buffer.from(JSON.stringify(host, null, 2));
}

function listContents(): readonly string[] {
  const files = globSync('**/*', { cwd: ROOT, withFileTypes: true, exclude: (entry) => entry.name === 'node_modules' })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length).replaceAll('\\', '/'));
  const published = publishContents(files, readFileSync(join(ROOT, '.funcignore'), 'utf8'));
  const strangers = published.filter((name) => !ALLOWED.test(name));
  const missing = REQUIRED.filter((name) => !published.includes(name));
  if (strangers.length > 0) throw new Error(`These do not belong into the package: ${strangers.join(', ')}`);
  if (missing.length > 0) throw new Error(`These are missing from the package: ${missing.join(', ')}`);
  return published;
}

/** Unpacks into an empty folder outside the checkout, so that nothing but the package can be found, and sends one request. */
async function tryPackage(bytes: Uint8Array): Promise<void> {
  const appRoot = mkdtempSync(join(tmpdir(), 'package-'));
  try {
    for (const [name, content] of Object.entries(unzipSync(bytes))) {
      mkdirSync(dirname(join(appRoot, name)), { recursive: true });
      writeFileSync(join(appRoot, name), content);
    }
    const site = await startEmulatedSite({ appRoot, storage: false, settings: { ALLOW_ANY_MAILBOX: 'true' } });
    try {
      const path = `/api/me/messages/${ADELE.items.message[0]}/attachments/createUploadSession`;
      const response = await fetch(`${site.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ AttachmentItem: { attachmentType: 'file', name: 'report.pdf', size: 5_242_880 } }),
      });
      if (response.status !== 201) throw new Error(`The packaged app answered ${response.status}.`);
    } finally {
      await site.close();
    }
  } finally {
    rmSync(appRoot, { recursive: true, force: true });
  }
}

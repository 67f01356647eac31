import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startFileServer } from './demo/fileServer.ts';
import { startEmulatedSite } from './emulatedSite.ts';
import { createCertificate } from './emulators/certificate.ts';
import { ADELE } from './emulators/seed.ts';

// `npm run demo -- FILE`: attaches the file (or 5 MB of its own) to drafts through the proxy in each of the ways, among emulated
// Azure. The calls are made by demo/client.ts, in a process of its own: trust in the emulated upload host is settled when a
// process starts.

const DEMO_BYTES = 5 * 1024 * 1024;

const file = process.argv[2] ?? writeDemoFile();
if (!existsSync(file)) {
  console.error(`There is no file ${file}.`);
  process.exit(1);
}
const certificate = await createCertificate();
const source = await startFileServer(certificate, file, (servedBytes) => client.send({ servedBytes }));
const mailboxes = [ADELE.userPrincipalName];
const caller = { name: 'Demo', functionKey: true, mailboxes, kinds: ['message'], sources: [`${source.origin}/`] };
const site = await startEmulatedSite({
  appRoot: `${import.meta.dirname}/..`,
  certificate,
  settings: { POLICY: JSON.stringify({ callers: [caller] }) },
});
const client = fork(`${import.meta.dirname}/demo/client.ts`, [file, source.url], {
  env: {
    ...process.env,
    NODE_EXTRA_CA_CERTS: site.caPath,
    PROXY_URL: site.url,
    GRAPH_URL: site.graph.url,
    GRAPH_TOKEN: site.identity.tokens.issue({ audience: site.graph.url, lifetimeSeconds: 600 }),
    MAILBOX: ADELE.userPrincipalName,
  },
});
const [exitCode] = await once(client, 'exit');
await Promise.all([site.close(), source.close()]);
if (process.argv[2] === undefined) rmSync(path.dirname(file), { recursive: true });
process.exitCode = Number(exitCode ?? 1);

function writeDemoFile(): string {
  const demoFile = path.join(mkdtempSync(path.join(tmpdir(), 'demo-')), 'report.pdf');
  writeFileSync(demoFile, randomBytes(DEMO_BYTES));
  return demoFile;
}

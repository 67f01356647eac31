import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { SETTINGS } from '../shared/config/settings.ts';
import { startEmulatedSite } from './emulatedSite.ts';
import { createCertificate } from './emulators/common/certificate.ts';
import { ADELE } from './emulators/graph/seed.ts';
import { printLogLine } from './host/log.ts';
import { describeFunctions } from './host/startHost.ts';
import { listen } from './listen.ts';
import { openPolicy } from './openPolicy.ts';

// `npm start`: the built app on 127.0.0.1:7071 with emulated services, until SIGINT or SIGTERM. Environment variables override
// the settings. Without a policy all emulated mailboxes are reachable, and README.md is served at a URL as a source of files.

const settings = Object.fromEntries(
  Object.keys(SETTINGS).flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
);
const certificate = await createCertificate();
const readme = readFileSync(`${import.meta.dirname}/../README.md`);
const source = await listen(
  createServer({ cert: certificate.cert, key: certificate.key }, (_, response) => response.end(readme)),
);
const sourceUrl = `https://localhost:${source.port}/`;
const hasPolicy = 'POLICY' in settings || 'POLICY_FILE' in settings;
const port = Number(process.env['PORT'] ?? 7071);
const site = await startEmulatedSite({
  appRoot: `${import.meta.dirname}/..`,
  port,
  httpsPort: port === 0 ? 0 : port + 1,
  certificate,
  settings: {
    ...(!hasPolicy && { POLICY: openPolicy([sourceUrl]) }),
    JOB_KEY: randomBytes(32).toString('hex'),
    UPLOAD_URL: 'proxy',
    ...settings,
  },
  host: { log: printLogLine },
});
const attachments = `${site.url}/api/me/messages/${ADELE.items.message[0]}/attachments`;

console.log(`
${describeFunctions(site.host)}

HTTPS:                 ${site.httpsUrl}/api
Emulated Graph:        ${site.graph.url}
Certificate authority: ${site.caPath}   (Node: NODE_EXTRA_CA_CERTS, curl: --cacert)
Emulated identity:     ${site.identity.url}
Emulated storage:      ${site.storage?.blobUrl ?? 'the account in the settings'}
'me' is ${ADELE.userPrincipalName}

Send a mail (docs/api/mail.md):

curl -i ${site.url}/api/me/sendMail -H 'Content-Type: application/json' \\
  -d '{"message":{"subject":"Hello","toRecipients":[{"emailAddress":{"address":"megan@contoso.example"}}]}}'

Try the API on ${site.url}/api/docs, or attach a file (more examples: docs/quickstart.md):

curl -i '${attachments}?name=README.md' -H 'Content-Type: text/markdown' --data-binary @README.md

Create a job that attaches a file from a URL (docs/api/jobs.md):

curl -i ${attachments} -H 'Content-Type: application/json' \\
  -H 'Prefer: respond-async' -d '{"name":"README.md","sourceUrl":"${sourceUrl}README.md"}'

Play an error of Graph (local/README.md lists them):

curl -i '${site.url}/api/me/messages/error=status429;retry-after=9999/attachments/createUploadSession' \\
  -H 'Content-Type: application/json' \\
  -d '{"AttachmentItem":{"attachmentType":"file","name":"report.pdf","size":5242880}}'

Ctrl+C ends it.
`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void Promise.all([site.close(), source.close()]));
}

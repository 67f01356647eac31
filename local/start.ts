import { randomBytes } from 'node:crypto';
import { SETTINGS } from '../shared/config/settings.ts';
import { startEmulatedSite } from './emulatedSite.ts';
import { createCertificate } from './emulators/common/certificate.ts';
import { ADELE } from './emulators/graph/seed.ts';
import { startFileServer } from './fileServer.ts';
import { printLogLine } from './host/log.ts';
import { describeFunctions } from './host/startHost.ts';

// `npm start`: the built app on 127.0.0.1:7071 with emulated Azure around it, until SIGINT or SIGTERM.
// Settings of the environment win; without a policy every emulated mailbox is reachable, the README is a file at an address, and
// bytes go through the proxy.

const settings = Object.fromEntries(
  Object.keys(SETTINGS).flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
);
const hasPolicy = 'POLICY' in settings || 'POLICY_FILE' in settings;
const certificate = await createCertificate();
const source = await startFileServer(certificate, `${import.meta.dirname}/../README.md`);
const everyone = {
  name: 'Everyone',
  functionKey: true,
  mailboxes: ['*'],
  groups: ['*'],
  me: ADELE.userPrincipalName,
  kinds: ['message', 'event', 'todoTask', 'outlookTask', 'post'],
  sources: [`${source.origin}/`],
};
const port = Number(process.env['PORT'] ?? 7071);
const site = await startEmulatedSite({
  appRoot: `${import.meta.dirname}/..`,
  port,
  httpsPort: port === 0 ? 0 : port + 1,
  certificate,
  settings: {
    ...(!hasPolicy && { POLICY: JSON.stringify({ callers: [everyone] }) }),
    JOB_KEY: randomBytes(32).toString('hex'),
    UPLOAD_URL: 'proxy',
    ...settings,
  },
  host: { log: printLogLine },
});
const api = `${site.url}/api`;
const [messageId] = ADELE.items.message;
const openSession = `${api}/me/messages/${messageId}/attachments/createUploadSession \\
  -H 'Content-Type: application/json' \\
  -d '{"AttachmentItem":{"attachmentType":"file","name":"report.pdf","size":5242880}}'`;
const uploadLines =
  settings['UPLOAD_URL'] === 'graph'
    ? `Open an upload session:

curl -i ${openSession}`
    : `Open an upload session, send a file of that size to its uploadUrl, and ask what became of it (docs/api/upload-sessions.md):

url=$(curl -s ${openSession} |
  sed 's/.*"uploadUrl":"\\([^"]*\\)".*/\\1/')
head -c 5242880 /dev/urandom | curl -i -X PUT "$url" -H 'Content-Range: bytes 0-5242879/5242880' \\
  -H 'Content-Type: application/octet-stream' --data-binary @-
curl -i "$url"`;

const jobLines = hasPolicy
  ? ''
  : `Let a job attach the file of an address, and ask for it (docs/api/jobs.md):

job=$(curl -si ${api}/me/messages/${messageId}/attachments -H 'Content-Type: application/json' \\
  -H 'Prefer: respond-async' -d '{"name":"README.md","sourceUrl":"${source.url}"}' |
  tr -d '\\r' | sed -n 's/^location: //Ip')
curl -i "$job"

`;

console.log(`
${describeFunctions(site.host)}

The same over HTTPS: ${site.httpsUrl}/api   (for clients that take https URLs only)
Emulated Graph:      ${site.graph.url}
Their certificate authority: ${site.caPath}   (Node: NODE_EXTRA_CA_CERTS, curl: --cacert)
Emulated identity:   ${site.identity.url}
Emulated storage:    ${site.storage?.blobUrl ?? 'the account that the settings name'}
'me' is ${ADELE.userPrincipalName}

Attach a file to a message, or pick one on ${api}/docs:

curl -i '${api}/me/messages/${messageId}/attachments?name=README.md' \\
  -H 'Content-Type: text/markdown' --data-binary @README.md

A large one streams, with its size beside it:

head -c 20000000 /dev/urandom | curl -i -X POST -T - -H 'Expect: 100-continue' \\
  '${api}/me/messages/${messageId}/attachments?name=large.bin&size=20000000'

${jobLines}${uploadLines}

See the answer to a wrong body:

curl -i ${api}/me/messages/${messageId}/attachments/createUploadSession \\
  -H 'Content-Type: application/json' \\
  -d '{"AttachmentItem":{"attachmentType":"String","size":4}}'

Play a fault of Graph by its name (local/README.md lists them):

curl -i '${api}/me/messages/error=status429;retry-after=9999/attachments/createUploadSession' \\
  -H 'Content-Type: application/json' \\
  -d '{"AttachmentItem":{"attachmentType":"file","name":"report.pdf","size":5242880}}'

Ctrl+C ends it.
`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void Promise.all([site.close(), source.close()]));
}

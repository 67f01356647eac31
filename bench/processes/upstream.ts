import { createServer } from 'node:https';
import { createCertificate, writeCaFile } from '../../local/emulators/common/certificate.ts';
import { startIdentityEmulator } from '../../local/emulators/managedIdentity/identity.ts';
import { listen } from '../../local/listen.ts';
import { listenToParent, tellParent } from './listenToParent.ts';
import { receiveChunk, SESSION_PATH } from './uploadHost.ts';

// The process with Graph, the upload host and App Service's identity endpoint. Graph responds to every POST with the same
// uploadSession, as fast as Node's TLS server can: the faithful emulator of local/ would be the slowest part of every row.

/** The uploadUrl of a live session holds a JWT; the whole response is 3 to 4 kB. */
function uploadSession(origin: string): string {
  const uploadUrl = `${origin}${SESSION_PATH}?authtoken=${'bench.'.repeat(480)}`;
  return JSON.stringify({ uploadUrl, expirationDateTime: '2030-01-01T00:00:00.0000000Z', nextExpectedRanges: ['0-'] });
}

const ATTACHMENT = JSON.stringify({ '@odata.type': '#microsoft.graph.fileAttachment', id: 'bench', name: 'bench.bin' });

const HEADERS = {
  'content-type':
    'application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8',
  'cache-control': 'private',
  'strict-transport-security': 'max-age=31536000',
  'request-id': '00000000-0000-4000-8000-000000000000',
  'x-ms-ags-diagnostic':
    '{"ServerInfo":{"DataCenter":"West Europe","Slice":"E","Ring":"5","ScaleUnit":"000","RoleInstance":"BENCH"}}',
};

const certificate = await createCertificate();
const ca = writeCaFile(certificate);
process.once('exit', () => ca.remove());
const identity = await startIdentityEmulator();

const server = createServer(
  { cert: certificate.cert, key: certificate.key, keepAliveTimeout: 120_000 },
  (request, response) => {
    if (request.method === 'PUT') {
      receiveChunk(request, response).catch(() => response.destroy());
      return;
    }
    request.resume().once('end', () => {
      if (request.headers.authorization === undefined) {
        response.writeHead(401).end();
        return;
      }
      const [status, body] = request.method === 'POST' ? ([201, session] as const) : ([200, ATTACHMENT] as const);
      const more = { 'content-length': body.length, 'client-request-id': request.headers['client-request-id'] ?? '' };
      response.writeHead(status, { ...HEADERS, ...more }).end(body);
    });
  },
);
const { port } = await listen(server);
const graphUrl = `https://localhost:${port}`;
const session = uploadSession(graphUrl);

listenToParent(async ({ kind }) => {
  throw new Error(`The upstream does not know "${kind}".`);
});
tellParent({ kind: 'upstreamReady', graphUrl, caPath: ca.path, identityEnv: identity.env });

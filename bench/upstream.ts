import { createServer } from 'node:https';
import { createCertificate, writeCaFile } from '../local/emulators/certificate.ts';
import { startIdentityEmulator } from '../local/emulators/identity.ts';
import { listen } from '../local/emulators/listen.ts';
import { listenToParent, tellParent } from './listenToParent.ts';

// A process of its own: a Graph that answers every POST with the same uploadSession, as fast as Node's TLS server can,
// and the identity endpoint of App Service. The faithful emulator of local/ would be the slowest part of every figure.

/** The uploadUrl of a live session holds a JWT; the whole answer is 3 to 4 kB. */
const UPLOAD_SESSION = JSON.stringify({
  '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.uploadSession',
  uploadUrl: `https://outlook.office.com/api/gv1.0/users('bench')/messages('bench')/AttachmentSessions('bench')?authtoken=${'bench.'.repeat(480)}`,
  expirationDateTime: '2030-01-01T00:00:00.0000000Z',
  nextExpectedRanges: ['0-'],
});

const HEADERS = {
  'content-type':
    'application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8',
  'content-length': String(Buffer.byteLength(UPLOAD_SESSION)),
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
    request.resume().once('end', () => {
      if (request.method !== 'POST' || request.headers.authorization === undefined) {
        response.writeHead(request.method === 'POST' ? 401 : 405).end();
        return;
      }
      response.writeHead(201, { ...HEADERS, 'client-request-id': request.headers['client-request-id'] ?? '' });
      response.end(UPLOAD_SESSION);
    });
  },
);
const { port } = await listen(server);

listenToParent(async () => {
  throw new Error('The upstream answers no questions.');
});
tellParent({
  kind: 'upstreamReady',
  graphUrl: `https://localhost:${port}`,
  caPath: ca.path,
  identityEnv: identity.env,
});

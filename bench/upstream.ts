import { createServer } from 'node:https';
import { createCertificate, writeCaFile } from '../local/emulators/common/certificate.ts';
import { startIdentityEmulator } from '../local/emulators/managedIdentity/identity.ts';
import { listen } from '../local/listen.ts';
import { listenToParent, tellParent } from './listenToParent.ts';
import { SESSION_PATH, takePiece } from './uploadHost.ts';

// A process of its own: a Graph that answers every POST with the same uploadSession, as fast as Node's TLS server can, the upload
// host of that session, and the identity endpoint of App Service. The faithful emulator of local/ would be the slowest part of
// every figure. Arguments: the upload host's latency in ms, and how many bytes it takes in a second.

const [, , latencyMs = '0', bytesPerSecond = '0'] = process.argv;
const PACE = { latencyMs: Number(latencyMs), bytesPerSecond: Number(bytesPerSecond) };

/** The uploadUrl of a live session holds a JWT; the whole answer is 3 to 4 kB. */
const uploadSession = (origin: string) =>
  JSON.stringify({
    '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.uploadSession',
    uploadUrl: `${origin}${SESSION_PATH}?authtoken=${'bench.'.repeat(480)}`,
    expirationDateTime: '2030-01-01T00:00:00.0000000Z',
    nextExpectedRanges: ['0-'],
  });

const ATTACHMENT = JSON.stringify({
  '@odata.type': '#microsoft.graph.fileAttachment',
  id: 'bench',
  name: 'bench.bin',
  contentType: 'application/octet-stream',
  size: 62_914_560,
  isInline: false,
});

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
      const onFirstByte = () => firstBytesAt.push(performance.timeOrigin + performance.now());
      takePiece(request, response, PACE, onFirstByte).catch(() => response.destroy());
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
let firstBytesAt: number[] = [];
const { port } = await listen(server);
const session = uploadSession(`https://localhost:${port}`);

listenToParent(async ({ kind }) => {
  if (kind !== 'firstBytes') throw new Error(`The upstream cannot answer "${kind}".`);
  const answer = { kind, epochMs: firstBytesAt };
  firstBytesAt = [];
  return answer;
});
tellParent({
  kind: 'upstreamReady',
  graphUrl: `https://localhost:${port}`,
  caPath: ca.path,
  identityEnv: identity.env,
});

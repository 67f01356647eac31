import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { SendResult, Transfer } from './messages.ts';
import { createRequestMaker } from './requestMaker.ts';
import { SESSION_PATH } from './uploadHost.ts';

/** The product's own chunk size, so that both sides make the same number of requests to the upload host. */
const RANGE_BYTES = 12 * 320 * 1024;
const WRITE = randomBytes(65_536);
const OCTETS = { 'content-type': 'application/octet-stream' };
const httpAgent = new http.Agent({ keepAlive: true });
const httpsAgent = new https.Agent({ keepAlive: true, rejectUnauthorized: false });

interface OutgoingRequest {
  readonly url: string;
  readonly method: 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
}

export async function sendFiles(transfer: Transfer): Promise<SendResult> {
  const failures: string[] = [];
  const startedAt = performance.now();
  const file = async () => {
    for await (const failure of sendFile(transfer)) failures.push(failure);
  };
  await Promise.all(Array.from({ length: transfer.files }, file));
  return { seconds: (performance.now() - startedAt) / 1000, failures };
}

/** Yields the responses that are not 200 or 201. */
async function* sendFile(transfer: Transfer): AsyncGenerator<string> {
  for await (const request of requestsOf(transfer)) {
    const { status, body } = await send(request, transfer.isChunked);
    if (status !== 200 && status !== 201) yield `${status} ${body.slice(0, 200)}`;
  }
}

async function* requestsOf({ server, way, fileBytes }: Transfer): AsyncGenerator<OutgoingRequest> {
  const maker = createRequestMaker(server.pathPrefix);
  if (way === 'attach') {
    const path = maker.nextPath().replace('/createUploadSession', `?name=bench.bin&size=${fileBytes}`);
    yield { url: server.url + path, method: 'POST', headers: OCTETS, bytes: fileBytes };
    return;
  }
  const url =
    way === 'ranges' ? await openSession(server.url + maker.nextPath(), fileBytes) : server.url + SESSION_PATH;
  for (let first = 0; first < fileBytes; first += RANGE_BYTES) {
    const bytes = Math.min(RANGE_BYTES, fileBytes - first);
    const range = `bytes ${first}-${first + bytes - 1}/${fileBytes}`;
    yield { url, method: 'PUT', headers: { ...OCTETS, 'content-range': range }, bytes };
  }
}

async function openSession(url: string, size: number): Promise<string> {
  const body = JSON.stringify({ AttachmentItem: { attachmentType: 'file', name: 'bench.bin', size } });
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const { uploadUrl }: { uploadUrl?: string } = JSON.parse(await response.text());
  if (uploadUrl === undefined) throw new Error(`No upload session was opened: ${response.status}.`);
  return uploadUrl;
}

async function send(
  { url, method, headers, bytes }: OutgoingRequest,
  isChunked: boolean,
): Promise<{ status: number; body: string }> {
  const length = isChunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': bytes };
  const options = { method, headers: { ...headers, ...length } };
  const request = url.startsWith('https:')
    ? https.request(url, { ...options, agent: httpsAgent })
    : http.request(url, { ...options, agent: httpAgent });
  const responded = once(request, 'response');
  responded.catch(() => undefined); // A broken connection rejects the await below.
  for (let left = bytes; left > 0; left -= WRITE.length) {
    if (!request.write(left < WRITE.length ? WRITE.subarray(0, left) : WRITE)) {
      await Promise.race([once(request, 'drain'), responded]);
    }
  }
  request.end();
  const [response]: IncomingMessage[] = await responded;
  let body = '';
  for await (const text of response?.setEncoding('utf8') ?? []) body += text;
  return { status: response?.statusCode ?? 0, body };
}

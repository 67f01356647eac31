import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { Agent, request } from 'undici';
import type { Transfer } from './messages.ts';
import { HEADERS, nextMessagePath, sessionBody } from './requests.ts';
import { SESSION_PATH } from './uploadHost.ts';

/** The product's own chunk size, so that both sides make the same number of requests to the upload host. */
const RANGE_BYTES = 12 * 320 * 1024;
const DATA = randomBytes(65_536);
/** An attach may last longer than undici's timeouts. */
const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { rejectUnauthorized: false } });

interface OutgoingRequest {
  readonly method: 'POST' | 'PUT';
  readonly url: string;
  readonly bytes: number;
  readonly range?: string;
}

/** Returns the time from the first byte sent to the last response, in seconds. */
export async function sendFiles(transfer: Transfer): Promise<number> {
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: transfer.files }, () => sendFile(transfer)));
  return (performance.now() - startedAt) / 1000;
}

async function sendFile({ server, way, isChunked, fileBytes }: Transfer): Promise<void> {
  const attachmentsUrl = `${server.url}${server.pathPrefix}${nextMessagePath()}/attachments`;
  if (way === 'attach') {
    const url = `${attachmentsUrl}?name=bench.bin&size=${fileBytes}`;
    return send({ method: 'POST', url, bytes: fileBytes }, isChunked);
  }
  const url =
    way === 'ranges'
      ? await openSession(`${attachmentsUrl}/createUploadSession`, fileBytes)
      : server.url + SESSION_PATH;
  for (let first = 0; first < fileBytes; first += RANGE_BYTES) {
    const bytes = Math.min(RANGE_BYTES, fileBytes - first);
    await send({ method: 'PUT', url, bytes, range: `bytes ${first}-${first + bytes - 1}/${fileBytes}` }, isChunked);
  }
}

async function openSession(url: string, size: number): Promise<string> {
  const response = await fetch(url, { method: 'POST', headers: HEADERS, body: sessionBody(size) });
  const { uploadUrl }: { uploadUrl?: string } = JSON.parse(await response.text());
  if (uploadUrl === undefined) throw new Error(`No upload session was opened: ${response.status}.`);
  return uploadUrl;
}

async function send({ method, url, bytes, range }: OutgoingRequest, isChunked: boolean): Promise<void> {
  const headers = {
    'content-type': 'application/octet-stream',
    ...(range !== undefined && { 'content-range': range }),
    ...(!isChunked && { 'content-length': String(bytes) }),
  };
  const { statusCode, body } = await request(url, { dispatcher, method, headers, body: Readable.from(dataOf(bytes)) });
  const text = await body.text();
  if (statusCode !== 200 && statusCode !== 201) throw new Error(`${method}: ${statusCode} ${text.slice(0, 200)}`);
}

function* dataOf(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= DATA.length) yield left < DATA.length ? DATA.subarray(0, left) : DATA;
}

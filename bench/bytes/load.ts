import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { listenToParent, tellParent } from '../listenToParent.ts';
import type { SendResult, Transfer } from '../messages.ts';
import { createRequestMaker } from '../request.ts';
import { SESSION_PATH } from '../uploadHost.ts';

// A process of its own: sends files.

const CHUNK = randomBytes(65_536);
const agents = {
  'http:': new http.Agent({ keepAlive: true }),
  'https:': new https.Agent({ keepAlive: true, rejectUnauthorized: false }),
};

interface Sent {
  readonly url: string;
  readonly method: 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
  readonly isChunked: boolean;
}

async function send({ url, method, headers, bytes, isChunked }: Sent): Promise<{ status: number; body: string }> {
  const isSecure = url.startsWith('https:');
  const request = (isSecure ? https : http).request(url, {
    agent: agents[isSecure ? 'https:' : 'http:'],
    method,
    headers: { ...headers, ...(isChunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': bytes }) },
  });
  const answered = once(request, 'response');
  answered.catch(() => undefined); // A connection that breaks is seen below.
  for (let left = bytes; left > 0; left -= CHUNK.length) {
    if (!request.write(left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK)) {
      await Promise.race([once(request, 'drain'), answered]);
    }
  }
  request.end();
  const [response]: IncomingMessage[] = await answered;
  let body = '';
  for await (const text of response?.setEncoding('utf8') ?? []) body += text;
  return { status: response?.statusCode ?? 0, body };
}

async function transfer({ server, way, fileBytes, rangeBytes, isChunked, files }: Transfer): Promise<SendResult> {
  const startedAtEpochMs: number[] = [];
  const failures: string[] = [];
  const maker = createRequestMaker(server.pathPrefix, 1_000);

  async function timed(sent: Sent): Promise<void> {
    startedAtEpochMs.push(performance.timeOrigin + performance.now());
    const { status, body } = await send(sent);
    if (status !== 200 && status !== 201) failures.push(`${status} ${body.slice(0, 200)}`);
  }

  async function sendFile(): Promise<void> {
    const octets = { 'content-type': 'application/octet-stream' };
    if (way === 'attach') {
      const path = maker.nextPath().replace('/createUploadSession', `?name=bench.bin&size=${fileBytes}`);
      return timed({ url: server.url + path, method: 'POST', headers: octets, bytes: fileBytes, isChunked });
    }
    const url = way === 'ranges' ? await openSession() : `${server.url}${server.pathPrefix}${SESSION_PATH}`;
    const step = way === 'putWhole' ? fileBytes : rangeBytes;
    for (let first = 0; first < fileBytes; first += step) {
      const bytes = Math.min(step, fileBytes - first);
      const range = `bytes ${first}-${first + bytes - 1}/${fileBytes}`;
      await timed({ url, method: 'PUT', headers: { ...octets, 'content-range': range }, bytes, isChunked });
    }
  }

  async function openSession(): Promise<string> {
    const body = JSON.stringify({ AttachmentItem: { attachmentType: 'file', name: 'bench.bin', size: fileBytes } });
    const answer = await fetch(server.url + maker.nextPath(), { method: 'POST', headers: maker.headers, body });
    const { uploadUrl }: { uploadUrl?: string } = JSON.parse(await answer.text());
    if (uploadUrl === undefined) throw new Error(`No session was opened: ${answer.status}.`);
    return uploadUrl;
  }

  const startedAt = performance.now();
  await Promise.all(Array.from({ length: files }, sendFile));
  return { seconds: (performance.now() - startedAt) / 1000, startedAtEpochMs, failures };
}

listenToParent(async (question) => {
  if (question.kind !== 'send') throw new Error(`The sender cannot answer "${question.kind}".`);
  return { kind: 'send', ...(await transfer(question.transfer)) };
});
tellParent({ kind: 'loadReady' });

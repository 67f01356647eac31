import http, { type Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { RawAnswer } from './probeApp/sendRaw.ts';

export interface LargeRequest {
  readonly method?: string;
  /** Path and query. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
  readonly isChunked: boolean;
  /** Default: its own connection. */
  readonly agent?: Agent;
  /** Sent in pieces of this size, each after a pause; default as fast as it goes. */
  readonly pace?: { readonly pieceBytes: number; readonly everyMs: number };
}

const PIECE_BYTES = 64 * 1024;

/** Sends a body of spaces to its end, whatever is answered meanwhile, and gives the answer. Rejects where the connection breaks. */
export async function sendLarge(url: string, request: LargeRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const { method = 'POST', target, headers, sizeBytes, isChunked, agent = false, pace } = request;
  const framing = isChunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(sizeBytes) };
  const outgoing = http.request({ hostname, port, agent, method, path: target, headers: { ...headers, ...framing } });
  const answer = readAnswer(outgoing);
  const piece = Buffer.alloc(pace?.pieceBytes ?? PIECE_BYTES, ' ');
  const broken = answer.then(() => new Promise<never>(() => {}));
  for (let left = sizeBytes; left > 0; left -= piece.length) {
    // Not by 'drain': a request whose answer has come early does not emit it.
    const isWritten = new Promise<void>((resolve) => outgoing.write(piece.subarray(0, left), () => resolve()));
    await Promise.race([isWritten, broken]);
    if (pace !== undefined) await Promise.race([delay(pace.everyMs), broken]);
  }
  outgoing.end();
  return answer;
}

function readAnswer(outgoing: http.ClientRequest): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.once('error', reject);
      incoming.once('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text });
      });
    });
  });
}

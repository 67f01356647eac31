import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** From the last byte of a chunk to its response. Outlook takes one to two seconds; a shorter time shows more of the proxy's share. */
const LATENCY_MS = 300;
/** Per connection. */
const BYTES_PER_SECOND = 20_000_000;
/** A timer shorter than this costs more than it delays. */
const SHORTEST_PAUSE_MS = 2;

/** The host keeps no session: the range of a request determines the response. */
export const SESSION_PATH = "/api/v2.0/Users('bench')/Messages('bench')/AttachmentSessions('bench')";

/** Receives a chunk and responds as Outlook does (learn.microsoft.com/graph/outlook-large-attachments). */
export async function receiveChunk(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const range = /^bytes \d+-(\d+)\/(\d+)$/.exec(request.headers['content-range'] ?? '');
  const [last = 0, total = 0] = range?.slice(1).map(Number) ?? [];
  const startedAt = performance.now();
  let bytes = 0;
  for await (const data of request as AsyncIterable<Buffer>) {
    bytes += data.byteLength;
    const pauseMs = (bytes / BYTES_PER_SECOND) * 1000 - (performance.now() - startedAt);
    if (pauseMs > SHORTEST_PAUSE_MS) await sleep(pauseMs);
  }
  await sleep(LATENCY_MS);
  if (last + 1 === total) {
    const location = `https://outlook.office.com${SESSION_PATH.replace('Sessions', 's')}`;
    response.writeHead(201, { location, 'content-length': 0 }).end();
  } else {
    const body = JSON.stringify({ expirationDateTime: '2030-01-01T00:00:00Z', nextExpectedRanges: [`${last + 1}-`] });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** How an upload host takes bytes. */
export interface Pace {
  /** From the last byte of a piece to its answer. */
  readonly latencyMs: number;
  /** Of one connection; 0 is as fast as they come. */
  readonly bytesPerSecond: number;
}

/** Says where bytes go: no session is kept, the range alone says what the answer is. */
export const SESSION_PATH = "/api/v2.0/Users('bench')/Messages('bench')/AttachmentSessions('bench')";

/** Takes a piece and answers as Outlook does (learn.microsoft.com/graph/outlook-large-attachments). */
export async function takePiece(
  request: IncomingMessage,
  response: ServerResponse,
  { latencyMs, bytesPerSecond }: Pace,
  onFirstByte: () => void,
): Promise<void> {
  const [, , last = 0, total = 0] = (
    /^bytes (\d+)-(\d+)\/(\d+)$/.exec(request.headers['content-range'] ?? '') ?? []
  ).map(Number);
  const startedAt = performance.now();
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (bytes === 0) onFirstByte();
    bytes += chunk.byteLength;
    const earlyMs = bytesPerSecond === 0 ? 0 : (bytes / bytesPerSecond) * 1000 - (performance.now() - startedAt);
    if (earlyMs > 2) await sleep(earlyMs);
  }
  if (latencyMs > 0) await sleep(latencyMs);
  if (last + 1 === total) {
    response
      .writeHead(201, {
        location: `https://outlook.office.com${SESSION_PATH.replace('Sessions', 's')}`,
        'content-length': 0,
      })
      .end();
  } else {
    const body = JSON.stringify({ expirationDateTime: '2030-01-01T00:00:00Z', nextExpectedRanges: [`${last + 1}-`] });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
  }
}

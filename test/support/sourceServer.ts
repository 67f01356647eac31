import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import type { EmulatorCertificate } from '../../local/emulators/common/certificate.ts';
import { listen } from '../../local/listen.ts';

/** What a source can do wrong: so many times, or always. The server counts `times` down. */
export type SourceFault = { times?: number } & (
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Record<string, string> }
  /** Destroys the connection after so many bytes of an answer. */
  | { readonly kind: 'breaksOff'; readonly afterBytes: number }
  /** Ends an answer after so many bytes as if that were all, although it said more. */
  | { readonly kind: 'endsEarly'; readonly afterBytes: number }
  /** Sends nothing more after so many bytes of an answer. */
  | { readonly kind: 'fallsSilent'; readonly afterBytes: number }
  /** Answers at most so many bytes of a range at once. */
  | { readonly kind: 'sendsParts'; readonly partBytes: number }
  /** Waits before each piece of an answer. */
  | { readonly kind: 'isSlow'; readonly pieceBytes: number; readonly pauseMs: number }
  /** Holds other bytes, of this length, and another entity tag, from the second request on. */
  | { readonly kind: 'changes'; readonly sizeBytes: number }
  /** Does not know Range. */
  | { readonly kind: 'noRanges' }
  /** Knows Range, but not If-Range. */
  | { readonly kind: 'noIfRange' }
  /** Does not say how long the file is. */
  | { readonly kind: 'noLength' }
  | { readonly kind: 'noETag' }
  /** Says the length, and never ends. */
  | { readonly kind: 'isEndless' }
  /** Refuses `bytes=0-` of a file without bytes, as Azure Storage does. */
  | { readonly kind: 'refusesEmptyRange' }
);

export interface SourceFile {
  readonly bytes: Buffer;
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly faults?: readonly SourceFault[];
}

/** A request as the source saw it. */
export interface SourceRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

export interface SourceServer {
  /** `https://localhost:PORT`, which the emulators' certificate is for. */
  readonly origin: string;
  readonly requests: readonly SourceRequest[];
  /** Holds a file at a path, in place of the one that was there. */
  put(path: string, file: SourceFile): void;
  close(): Promise<void>;
}

/** Starts a server of files on loopback that fails as sources do. */
export async function startSourceServer({ cert, key }: EmulatorCertificate): Promise<SourceServer> {
  const files = new Map<string, { file: SourceFile; requests: number }>();
  const requests: SourceRequest[] = [];
  const server = createServer({ cert, key }, (request, response) => {
    const path = new URL(request.url ?? '', 'https://source').pathname;
    requests.push({ path: request.url ?? '', headers: request.headers });
    const held = files.get(path);
    if (held === undefined) response.writeHead(404).end('<html>No such file</html>');
    else void serve(held.file, held.requests++, request, response);
  });
  const { port, close } = await listen(server);
  return {
    origin: `https://localhost:${port}`,
    requests,
    put: (path, file) => files.set(path, { file, requests: 0 }),
    close,
  };
}

async function serve(file: SourceFile, earlier: number, request: IncomingMessage, response: ServerResponse) {
  const { faults = [] } = file;
  const status = takeFault(faults, 'status');
  if (status !== undefined) return response.writeHead(status.status, status.headers).end('<html>Refused</html>');
  const changes = fault(faults, 'changes');
  const isChanged = changes !== undefined && earlier > 0;
  const bytes = isChanged ? Buffer.alloc(changes.sizeBytes, 'changed') : file.bytes;
  const etag = fault(faults, 'noETag') ? undefined : `"${isChanged ? 2 : 1}"`;
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const ifRange = fault(faults, 'noIfRange') ? undefined : request.headers['if-range'];
  const isRanged = range !== null && !fault(faults, 'noRanges') && (ifRange === undefined || ifRange === etag);
  const start = isRanged ? Number(range[1]) : 0;
  if (isRanged && (start > bytes.length || (fault(faults, 'refusesEmptyRange') && bytes.length === 0))) {
    return response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
  }
  const partBytes = isRanged ? fault(faults, 'sendsParts')?.partBytes : undefined;
  const end = Math.min(bytes.length, start + (partBytes ?? bytes.length));
  const isPartial = isRanged && bytes.length > 0;
  const saysLength = !fault(faults, 'noLength') && !fault(faults, 'isEndless') && !fault(faults, 'endsEarly');
  response.writeHead(isPartial && !fault(faults, 'noLength') ? 206 : 200, {
    ...(etag !== undefined && { etag }),
    ...(file.contentType !== undefined && { 'content-type': file.contentType }),
    ...(file.contentEncoding !== undefined && { 'content-encoding': file.contentEncoding }),
    ...(isPartial && !fault(faults, 'noLength') && { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` }),
    ...(saysLength && { 'content-length': end - start }),
  });
  return sendBytes(bytes.subarray(start, end), faults, response);
}

async function sendBytes(bytes: Buffer, faults: readonly SourceFault[], response: ServerResponse) {
  const slow = fault(faults, 'isSlow');
  const cut = takeFault(faults, 'breaksOff') ?? takeFault(faults, 'endsEarly') ?? takeFault(faults, 'fallsSilent');
  const sent = bytes.subarray(0, cut?.afterBytes);
  const pieceBytes = slow?.pieceBytes ?? 65_536;
  response.flushHeaders();
  for (let at = 0; at < sent.length && !response.destroyed; at += pieceBytes) {
    if (slow !== undefined) await delay(slow.pauseMs);
    await write(response, sent.subarray(at, at + pieceBytes));
  }
  while (fault(faults, 'isEndless') && !response.destroyed) await write(response, Buffer.alloc(pieceBytes));
  if (cut?.kind === 'fallsSilent') return;
  if (cut?.kind === 'breaksOff') response.destroy();
  else response.end();
}

/** Waits until the bytes have gone to the system, so that breaking off loses none of them, or until the reader has gone. */
function write(response: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    response.once('close', resolve);
    response.write(bytes, () => {
      response.off('close', resolve);
      resolve();
    });
  });
}

type FaultOf<K extends SourceFault['kind']> = Extract<SourceFault, { kind: K }>;

function fault<K extends SourceFault['kind']>(faults: readonly SourceFault[], kind: K): FaultOf<K> | undefined {
  return faults.find((candidate): candidate is FaultOf<K> => candidate.kind === kind);
}

/** The fault, where it is not used up; counts it down. */
function takeFault<K extends SourceFault['kind']>(faults: readonly SourceFault[], kind: K): FaultOf<K> | undefined {
  const found = fault(faults, kind);
  if (found === undefined || found.times === 0) return undefined;
  if (found.times !== undefined) found.times -= 1;
  return found;
}

import type { IncomingMessage, ServerResponse } from 'node:http';

/** A body on its way from the caller to the worker. */
export interface RequestBody {
  /** Undefined if the body is chunked. */
  readonly declaredBytes: number | undefined;
  /** A body that was started cannot be sent a second time. */
  readonly isStarted: boolean;
  /** The next bytes; undefined at the end. @throws Error if the body is too long or too slow, or the caller has gone */
  read(signal: AbortSignal): Promise<Buffer | undefined>;
}

export interface BodyRules {
  readonly limitBytes: number;
  readonly graceMs: number;
}

/** Kestrel's default (KestrelServerLimits.MinRequestBodyDataRate): on average over the time spent waiting for bytes. */
const MINIMUM_BYTES_PER_SECOND = 240;

/** The body of a request as Kestrel passes it on; undefined if there is none. */
export function createRequestBody(
  request: IncomingMessage,
  response: ServerResponse,
  rules: BodyRules,
): RequestBody | undefined {
  const isChunked = request.headers['transfer-encoding'] !== undefined;
  const declaredBytes = isChunked ? undefined : Number(request.headers['content-length'] ?? 0);
  if (declaredBytes === 0) return undefined;
  let isStarted = false;
  let receivedBytes = 0;
  let waitedMs = 0;
  // The platform returns an empty 500 and closes the connection.
  const refuse = (reason: string) => {
    response.shouldKeepAlive = false;
    return new Error(reason);
  };
  const start = () => {
    isStarted = true;
    if (declaredBytes !== undefined && declaredBytes > rules.limitBytes) throw refuse('The request body is too long.');
    if (request.headers.expect !== undefined) response.writeContinue();
  };
  return {
    declaredBytes,
    get isStarted() {
      return isStarted;
    },
    async read(signal) {
      if (!isStarted) start();
      for (;;) {
        const chunk: unknown = request.read();
        if (Buffer.isBuffer(chunk)) {
          receivedBytes += chunk.length + (isChunked ? framingBytes(chunk) : 0);
          // The last chunk has five bytes.
          if (receivedBytes + (isChunked ? 5 : 0) > rules.limitBytes) throw refuse('The request body is too long.');
          return chunk;
        }
        if (request.readableEnded) return undefined;
        const allowedMs = Math.max(rules.graceMs, (receivedBytes / MINIMUM_BYTES_PER_SECOND) * 1_000);
        const since = performance.now();
        if (!(await waitForBytes(request, signal, allowedMs - waitedMs))) throw refuse('The request body is too slow.');
        waitedMs += performance.now() - since;
      }
    },
  };
}

/** A body that the host has already read. */
export function createBufferedBody(bytes: Buffer): RequestBody {
  let isStarted = false;
  return {
    declaredBytes: bytes.length,
    get isStarted() {
      return isStarted;
    },
    async read() {
      const isFirst = !isStarted;
      isStarted = true;
      return isFirst ? bytes : undefined;
    },
  };
}

/** Reads a body to its end. Throws as `read` does. */
export async function readAll(body: RequestBody, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let chunk = await body.read(signal); chunk !== undefined; chunk = await body.read(signal)) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The limit counts bytes on the wire. Node hides the framing: the length in hexadecimal and two line ends. */
function framingBytes(chunk: Buffer): number {
  return chunk.length.toString(16).length + 4;
}

/** Resolves to false after the timeout. Rejects if the caller or the call has gone. */
function waitForBytes(request: IncomingMessage, signal: AbortSignal, withinMs: number): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const onBytes = () => resolve(true);
  const onGone = () => (request.readableEnded ? resolve(true) : reject(new Error('The caller has gone.')));
  const onAbort = () => reject(signal.reason);
  const timer = setTimeout(() => resolve(false), withinMs);
  request.on('readable', onBytes).on('end', onBytes).on('close', onGone);
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) {
    onAbort();
  } else if (request.destroyed) {
    onGone();
  }
  return promise.finally(() => {
    clearTimeout(timer);
    request.off('readable', onBytes).off('end', onBytes).off('close', onGone);
    signal.removeEventListener('abort', onAbort);
  });
}

import { MIMEType } from 'node:util';
import type { HttpRequest } from '@azure/functions';
import { ServiceError } from '../errors.ts';
import { MAX_REQUEST_BODY_BYTES } from '../limits.ts';

/**
 * Reads the body as bytes, never more than the limit, never past the deadline.
 * An answer given early leaves the rest unread; the platform closes the connection.
 *
 * @throws ServiceError UnsupportedMediaType, RequestBodyTooLarge, RequestBodyTimeout, CallerDisconnected
 */
export async function readBody(request: HttpRequest, signal: AbortSignal): Promise<Buffer> {
  checkMediaType(request.headers);
  const declaredBytes = declaredLength(request.headers.get('content-length'));
  if (declaredBytes > MAX_REQUEST_BODY_BYTES) throw tooLarge();
  if (request.body === null) return Buffer.alloc(0);

  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader();
  const cancel = () => void reader.cancel().catch(() => {}); // The connection may be gone already.
  signal.addEventListener('abort', cancel, { once: true }); // A pending read then ends as if the body had.
  try {
    return await readAll(reader, declaredBytes, signal);
  } catch (error) {
    cancel();
    throw error instanceof ServiceError ? error : brokeOff(error);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

async function readAll(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  declaredBytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  while (bytes !== declaredBytes) {
    const { done, value } = await reader.read();
    if (signal.aborted) throw abortFault(signal.reason);
    if (done) break;
    bytes += value.byteLength;
    if (bytes > MAX_REQUEST_BODY_BYTES) throw tooLarge();
    chunks.push(value);
  }
  return Buffer.concat(chunks, bytes);
}

/** NaN where none is declared: then the body's own end is what counts. */
function declaredLength(contentLength: string | null): number {
  return contentLength !== null && /^\d+$/.test(contentLength) ? Number(contentLength) : Number.NaN;
}

function checkMediaType(headers: HttpRequest['headers']): void {
  if (!isJson(headers.get('content-type') ?? '')) {
    throw new ServiceError('UnsupportedMediaType', 'Content-Type must be application/json, in UTF-8.');
  }
  const encoding = headers.get('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new ServiceError('UnsupportedMediaType', 'Content-Encoding is not supported; send the JSON as it is.');
  }
}

/** RFC 8259 gives application/json no charset parameter; UTF-8 may be named all the same. */
function isJson(contentType: string): boolean {
  if (contentType === 'application/json') return true;
  try {
    const { essence, params } = new MIMEType(contentType);
    return essence === 'application/json' && /^utf-?8$/i.test(params.get('charset') ?? 'utf-8');
  } catch {
    return false;
  }
}

/** The deadline passed, or the caller went away, while the body was read. */
function abortFault(reason: unknown): unknown {
  const isTimeout = reason instanceof ServiceError && reason.code === 'TimedOut';
  return isTimeout ? new ServiceError('RequestBodyTimeout', 'The body did not arrive in time.') : reason;
}

function brokeOff(cause: unknown): ServiceError {
  return new ServiceError('CallerDisconnected', 'The body broke off.', { cause });
}

function tooLarge(): ServiceError {
  const message = `The body is over ${MAX_REQUEST_BODY_BYTES} bytes. It describes the file; its bytes go to the uploadUrl.`;
  return new ServiceError('RequestBodyTooLarge', message);
}

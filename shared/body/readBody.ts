import { MIMEType } from 'node:util';
import type { HttpRequest } from '@azure/functions';
import { untilAborted } from '../deadline.ts';
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
  const declaredBytes = Number(request.headers.get('content-length') ?? 0);
  if (declaredBytes > MAX_REQUEST_BODY_BYTES) throw tooLarge();
  if (request.body === null) return Buffer.alloc(0);

  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await untilAborted(reader.read(), signal);
      if (done) return Buffer.concat(chunks, bytes);
      bytes += value.byteLength;
      if (bytes > MAX_REQUEST_BODY_BYTES) throw tooLarge();
      chunks.push(value);
    }
  } catch (error) {
    reader.cancel().catch(() => {}); // The connection may be gone already.
    throw bodyFault(error);
  }
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

function bodyFault(error: unknown): ServiceError {
  if (!(error instanceof ServiceError)) {
    return new ServiceError('CallerDisconnected', 'The body broke off.', { cause: error });
  }
  if (error.code !== 'TimedOut') return error;
  return new ServiceError('RequestBodyTimeout', 'The body did not arrive in time.');
}

function tooLarge(): ServiceError {
  const message = `The body is over ${MAX_REQUEST_BODY_BYTES} bytes. It describes the file; its bytes go to the uploadUrl.`;
  return new ServiceError('RequestBodyTooLarge', message);
}

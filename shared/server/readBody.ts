import { MIMEType } from 'node:util';
import { mapTimeout } from '../common/deadline.ts';
import { MAX_REQUEST_BODY_BYTES } from '../common/limits.ts';
import { ServiceError } from '../errors.ts';
import { hasContentCoding } from './contentCoding.ts';
import type { IncomingRequest, RequestHeaders } from './request.ts';

/**
 * Reads a JSON body as bytes, never more than the limit, never past the deadline. What is left of it after a refusal is read
 * away behind the answer.
 *
 * @throws ServiceError UnsupportedMediaType, RequestBodyTooLarge, RequestBodyTimeout, CallerDisconnected
 */
export async function readBody(
  { headers, body }: Pick<IncomingRequest, 'headers' | 'body'>,
  signal: AbortSignal,
): Promise<Buffer> {
  checkMediaType(headers);
  if (body.declaredBytes !== undefined && body.declaredBytes > MAX_REQUEST_BODY_BYTES) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for (let chunk = await readChunk(body, signal); chunk !== undefined; chunk = await readChunk(body, signal)) {
    bytes += chunk.byteLength;
    if (bytes > MAX_REQUEST_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

function readChunk(body: IncomingRequest['body'], signal: AbortSignal): Promise<Buffer | undefined> {
  return mapTimeout(
    body.read(signal),
    () =>
      new ServiceError('RequestBodyTimeout', 'The body did not arrive within the time of the request. Send it again.'),
  );
}

/** @throws ServiceError UnsupportedMediaType */
export function checkMediaType(headers: RequestHeaders): void {
  if (!isJson(headers.get('content-type') ?? '')) {
    throw new ServiceError('UnsupportedMediaType', 'Content-Type must be application/json, in UTF-8.');
  }
  if (hasContentCoding(headers)) {
    throw new ServiceError('UnsupportedMediaType', 'Content-Encoding is not supported; send the JSON as it is.');
  }
}

/** RFC 8259 gives application/json no charset parameter; UTF-8 may be named all the same. */
export function isJson(contentType: string): boolean {
  if (contentType === 'application/json') return true;
  try {
    const { essence, params } = new MIMEType(contentType);
    return essence === 'application/json' && /^utf-?8$/i.test(params.get('charset') ?? 'utf-8');
  } catch {
    return false;
  }
}

function tooLarge(): ServiceError {
  const message = `The body has more than ${MAX_REQUEST_BODY_BYTES} bytes. Send only the description of the file here, and its bytes to the uploadUrl.`;
  return new ServiceError('RequestBodyTooLarge', message);
}

import { SESSION_FROM_BYTES } from '../common/limits.ts';
import { ServiceError } from '../errors.ts';
import { type ReadableBody, readPatiently } from './bodySource.ts';
import type { ByteSource } from './byteSource.ts';
import { createMemorySource } from './memorySource.ts';

/**
 * Reads a body whose length nobody declared: while it stays below what Graph takes in one call it is held, and then its length
 * is known. Graph must have the length of a larger file before its first byte.
 *
 * @throws ServiceError LengthRequired, RequestBodyTimeout, and what the body's own read throws
 */
export async function readUnsized(body: ReadableBody, signal: AbortSignal): Promise<ByteSource> {
  const next = () => readPatiently(body, signal);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for (let chunk = await next(); chunk !== undefined; chunk = await next()) {
    bytes += chunk.byteLength;
    if (bytes >= SESSION_FROM_BYTES) {
      const message = `A file of ${SESSION_FROM_BYTES} bytes or more needs its length before the first byte: add ?size=<bytes>, or send Content-Length.`;
      throw new ServiceError('LengthRequired', message);
    }
    chunks.push(chunk);
  }
  return createMemorySource(chunks);
}

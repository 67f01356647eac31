import { mapTimeout } from '../common/deadline.ts';
import { IDLE_TIMEOUT_MS } from '../common/limits.ts';
import { ServiceError } from '../errors.ts';
import type { ByteSource } from './byteSource.ts';
import { withIdleTimeout } from './idleTimeout.ts';

/** A request's body, as far as it is read here. */
export interface ReadableBody {
  read(signal: AbortSignal): Promise<Buffer | undefined>;
}

/**
 * The bytes of a request's body, as many as were declared: more are refused when the first of them arrives, fewer at the end.
 *
 * @throws ServiceError from read: SizeMismatch, RequestBodyTimeout, and what the body's own read throws
 */
export function createRequestSource(body: ReadableBody, sizeBytes: number, maxSilenceMs = IDLE_TIMEOUT_MS): ByteSource {
  let bytes = 0;
  return {
    sizeBytes,
    async read(signal) {
      for (;;) {
        const chunk = await readPatiently(body, signal, maxSilenceMs);
        if (chunk === undefined) {
          if (bytes < sizeBytes) throw mismatch(`${bytes} bytes came, ${sizeBytes} were declared.`);
          return undefined;
        }
        bytes += chunk.length;
        if (bytes > sizeBytes) throw mismatch(`More than the ${sizeBytes} bytes that were declared came.`);
        if (chunk.length > 0) return chunk;
      }
    },
  };
}

/**
 * The body's next bytes, unless they take too long.
 *
 * @throws ServiceError RequestBodyTimeout, and what the body's own read throws
 */
export function readPatiently(
  body: ReadableBody,
  signal: AbortSignal,
  maxSilenceMs = IDLE_TIMEOUT_MS,
): Promise<Buffer | undefined> {
  const late = (message: string) => () => new ServiceError('RequestBodyTimeout', message);
  return mapTimeout(
    withIdleTimeout(body.read(signal), maxSilenceMs, late(`No data was received for ${maxSilenceMs / 1000} seconds.`)),
    late('The body did not arrive within the time of the request.'),
  );
}

function mismatch(message: string): ServiceError {
  return new ServiceError('SizeMismatch', `${message} Nothing is attached.`);
}

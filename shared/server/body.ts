import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { abortable } from '../common/deadline.ts';
import { DRAIN_TIMEOUT_MS, MAX_DISCARDED_BYTES } from '../common/limits.ts';
import { ServiceError } from '../errors.ts';

/**
 * The host sends the body if it hears nothing for one second (.NET: Expect100ContinueTimeout). Node would close the connection
 * behind a response without `100 Continue`, and the host then loses that response. So the app asks shortly before.
 */
export const CONTINUE_AFTER_MS = 900;

/** A request's body as it comes in, read in order by one reader at a time. */
export interface RequestBody {
  /** What Content-Length says; undefined for a chunked body, and where there is none. */
  readonly declaredBytes: number | undefined;
  /**
   * The next bytes; undefined at the end. A caller that waits for `100 Continue` is asked to send at the first read.
   * @throws ServiceError CallerDisconnected where the body breaks off, or the signal's reason
   */
  read(signal: AbortSignal): Promise<Buffer | undefined>;
  /** Reads away what has not been read, holding none of it; for the time after the answer. Never fails. */
  drain(): Promise<void>;
}

/**
 * The body is read from the worker's own HTTP request, not through the library's `Request`: cancelling that resets the
 * connection, and the host then loses the answer (Azure/azure-functions-host, DefaultHttpProxyService: ten tries, then
 * an empty 500). So nothing here ever cancels: after an early answer the rest is read away, which nginx calls a
 * lingering close.
 *
 * @param expectsContinue the caller sent `Expect: 100-continue` and has not been answered yet
 */
export function createRequestBody(
  request: Readable & Pick<IncomingMessage, 'headers' | 'complete'>,
  response: Pick<ServerResponse, 'writeContinue'>,
  expectsContinue = false,
): RequestBody {
  let chunks: AsyncIterator<Buffer> | undefined;
  /** A read that its reader gave up; the next one takes its outcome. */
  let pending: Promise<IteratorResult<Buffer>> | undefined;
  let isOver = false;
  let isAsked = !expectsContinue;
  const continueTimer = isAsked ? undefined : setTimeout(ask, CONTINUE_AFTER_MS).unref();

  function ask(): void {
    clearTimeout(continueTimer);
    if (!isAsked) response.writeContinue();
    isAsked = true;
  }

  function next(): Promise<IteratorResult<Buffer>> {
    if (chunks === undefined) {
      ask();
      chunks = request.iterator({ destroyOnReturn: false });
    }
    pending ??= chunks.next();
    return pending;
  }

  return {
    declaredBytes: declaredLength(request.headers['content-length']),
    async read(signal) {
      if (isOver) return undefined;
      try {
        const { done, value } = await abortable(next(), signal);
        pending = undefined;
        isOver = done === true;
        return done ? undefined : value;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        isOver = true;
        throw new ServiceError('CallerDisconnected', 'The body broke off.', { cause: error });
      }
    },
    async drain() {
      if (isOver || (request.complete && request.readableLength === 0)) return;
      isOver = true;
      clearTimeout(continueTimer);
      if (!isAsked) return; // The body need not come.
      const timer = setTimeout(() => request.destroy(), DRAIN_TIMEOUT_MS);
      timer.unref();
      try {
        for (let bytes = 0; bytes <= MAX_DISCARDED_BYTES; ) {
          const { done, value } = await next();
          pending = undefined;
          if (done) return;
          bytes += value.byteLength;
        }
        request.destroy();
      } catch {
        // The connection is gone, by the caller's doing or by the bound above: there is nothing left to read.
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function declaredLength(contentLength: string | undefined): number | undefined {
  return contentLength !== undefined && /^\d{1,15}$/.test(contentLength) ? Number(contentLength) : undefined;
}

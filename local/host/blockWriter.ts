import { once } from 'node:events';
import type { ClientRequest } from 'node:http';

/** .NET's HTTP client collects the bytes and sends only full blocks before the end (SocketsHttpHandler: HttpConnection). */
const BLOCK_BYTES = 4_096;

export interface BlockWriter {
  /** Waits while the worker does not read. Rejects if the connection is broken. */
  write(bytes: Buffer): Promise<void>;
  /** Sends the rest, and ends the request. */
  end(): Promise<void>;
}

/** Writes the body of a request to the worker. */
export function createBlockWriter(outgoing: ClientRequest): BlockWriter {
  let pending: Buffer = Buffer.alloc(0);
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  outgoing.once('error', broken.reject);
  outgoing.once('close', () => broken.reject(new Error('The worker closed the connection.')));

  async function send(bytes: Buffer): Promise<void> {
    // Without 'drain', which a request does not emit after an early response.
    const written = new Promise<void>((resolve, reject) => {
      outgoing.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
    await Promise.race([broken.promise, written]);
  }

  return {
    async write(bytes) {
      const all = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
      const sent = all.length >= 2 * BLOCK_BYTES ? all.length : all.length - (all.length % BLOCK_BYTES);
      pending = all.subarray(sent);
      if (sent > 0) {
        await send(all.subarray(0, sent));
      }
    },
    async end() {
      if (pending.length > 0) {
        await send(pending);
      }
      const finished = once(outgoing, 'finish');
      outgoing.end();
      await Promise.race([broken.promise, finished]);
    },
  };
}

import { once } from 'node:events';
import type { ClientRequest } from 'node:http';

/** .NET's HTTP client gathers what it sends; only full blocks go out before the end (SocketsHttpHandler: HttpConnection). */
const BLOCK_BYTES = 4_096;

export interface BlockWriter {
  /** Waits while the worker does not read. Rejects when the connection has broken. */
  write(bytes: Buffer): Promise<void>;
  /** Sends what was held back, and ends the request. */
  end(): Promise<void>;
}

/** Writes the body of a request to the worker. */
export function createBlockWriter(outgoing: ClientRequest): BlockWriter {
  let held: Buffer = Buffer.alloc(0);
  let failure: Error | undefined;
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  const onBroken = (error?: Error) => {
    failure ??= error ?? new Error('The worker closed the connection.');
    broken.reject(failure);
  };
  outgoing.once('error', onBroken).once('close', onBroken);

  async function send(bytes: Buffer): Promise<void> {
    if (failure !== undefined) {
      throw failure;
    }
    // Not by 'drain': a request whose answer has come early does not emit it.
    const isWritten = new Promise<void>((resolve, reject) => {
      outgoing.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
    await Promise.race([isWritten, broken.promise]);
  }

  return {
    async write(bytes) {
      const all = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
      const sent = all.length >= 2 * BLOCK_BYTES ? all.length : all.length - (all.length % BLOCK_BYTES);
      held = all.subarray(sent);
      if (sent > 0) {
        await send(all.subarray(0, sent));
      }
    },
    async end() {
      if (held.length > 0) {
        await send(held);
      }
      if (failure !== undefined) {
        throw failure;
      }
      outgoing.end();
      await Promise.race([once(outgoing, 'finish'), broken.promise]);
    },
  };
}

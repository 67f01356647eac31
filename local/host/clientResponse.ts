import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { sendEmpty } from './kestrel.ts';

/**
 * An answer on its way to the caller. As with Kestrel its head goes out with the first byte of the body, and its end
 * when the invocation has ended: until then the platform can still put a 500 in its place, or break it off.
 */
export interface ClientResponse {
  readonly isUnderWay: boolean;
  begin(status: number, headers: readonly string[]): void;
  /** Waits while the caller does not read. Rejects when it has gone. */
  write(bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  complete(): void;
  /** An empty 500, or, where a part of the answer has gone out, the end of the connection. */
  fail(): void;
}

export function createClientResponse(response: ServerResponse): ClientResponse {
  let head: { readonly status: number; readonly headers: readonly string[] } | undefined;
  const sendHead = () => {
    if (head !== undefined && !response.headersSent) {
      response.writeHead(head.status, [...head.headers]);
    }
  };
  return {
    get isUnderWay() {
      return response.headersSent;
    },
    begin(status, headers) {
      head = { status, headers };
    },
    async write(bytes, signal) {
      sendHead();
      if (!response.write(bytes)) {
        await once(response, 'drain', { signal });
      }
    },
    complete() {
      sendHead();
      response.end();
    },
    fail() {
      if (response.headersSent) {
        response.socket?.destroySoon();
      } else {
        sendEmpty(response, 500);
      }
    },
  };
}

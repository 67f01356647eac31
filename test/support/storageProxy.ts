import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { Azurite } from '../../local/azurite.ts';
import { listen } from '../../local/listen.ts';

/** How the store fails, in place of its own answer or after it. */
export type StorageFault =
  | { readonly kind: 'status'; readonly status: number; readonly code: string }
  /** The connection breaks before the store has seen the request. */
  | { readonly kind: 'resetBefore' }
  /** The store does the work, its answer is lost. */
  | { readonly kind: 'resetAfter' }
  | { readonly kind: 'hang' }
  /** The right answer, so much later. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** The answer stops after its headers. */
  | { readonly kind: 'hangInBody' };

export interface StorageProxy {
  /** In place of the account's own: its blobs are reached through this proxy. */
  readonly connectionString: string;
  readonly port: number;
  /** Method and path of what arrived. */
  readonly requests: readonly string[];
  /** Plays the fault on the next `times` requests that match, on all when absent. */
  play(fault: StorageFault | 'none', options?: { readonly times?: number; readonly method?: string }): void;
  close(): Promise<void>;
}

/** Stands in front of an account's blobs over HTTP. What is signed is the path, so the store takes what comes through it. */
export async function startStorageProxy(
  account: Pick<Azurite, 'connectionString' | 'blobUrl'>,
  port?: number,
): Promise<StorageProxy> {
  const requests: string[] = [];
  let fault: StorageFault | 'none' = 'none';
  let left = 0;
  let onlyMethod: string | undefined;

  function takeFault(method: string): StorageFault | undefined {
    if (fault === 'none' || left <= 0 || (onlyMethod !== undefined && onlyMethod !== method)) return undefined;
    left--;
    return fault;
  }

  const server = createServer((incoming, response) => {
    requests.push(`${incoming.method} ${incoming.url}`);
    serve(incoming, response, takeFault(incoming.method ?? ''));
  });
  const listener = await listen(server, port);

  function serve(incoming: IncomingMessage, response: ServerResponse, played: StorageFault | undefined): void {
    if (played?.kind === 'hang') {
      incoming.resume();
    } else if (played?.kind === 'slow') {
      setTimeout(() => forward(incoming, response, undefined), played.ms);
    } else if (played?.kind === 'resetBefore') {
      incoming.socket.resetAndDestroy();
    } else if (played?.kind === 'status') {
      incoming.resume();
      response.writeHead(played.status, { 'x-ms-error-code': played.code, 'content-type': 'application/xml' });
      response.end(`<?xml version="1.0"?><Error><Code>${played.code}</Code><Message>Played.</Message></Error>`);
    } else {
      forward(incoming, response, played);
    }
  }

  function forward(incoming: IncomingMessage, response: ServerResponse, played: StorageFault | undefined): void {
    const { method, headers } = incoming;
    const outgoing = request(
      new URL(incoming.url ?? '/', account.blobUrl),
      { method, headers, agent: false },
      (answer) => {
        if (played?.kind === 'resetAfter') {
          answer.resume().once('end', () => incoming.socket.resetAndDestroy());
        } else if (played?.kind === 'hangInBody') {
          response.writeHead(answer.statusCode ?? 0, answer.headers);
          response.flushHeaders();
          answer.resume();
        } else {
          response.writeHead(answer.statusCode ?? 0, answer.headers);
          answer.pipe(response);
        }
      },
    );
    outgoing.on('error', () => incoming.socket.destroy());
    incoming.pipe(outgoing);
  }

  const own = new URL(account.blobUrl);
  own.port = String(listener.port);
  return {
    connectionString: account.connectionString.replace(account.blobUrl, own.href),
    port: listener.port,
    requests,
    play(next, options = {}) {
      fault = next;
      left = options.times ?? Number.POSITIVE_INFINITY;
      onlyMethod = options.method;
    },
    close: listener.close,
  };
}

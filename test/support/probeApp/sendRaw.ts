import http, { type IncomingHttpHeaders } from 'node:http';

export interface RawRequest {
  readonly method?: string;
  /** Goes into the request line as it is: nothing is normalised or escaped. */
  readonly target: string;
  /** A flat list of names and values, so that a header can be sent twice. */
  readonly headers?: readonly string[];
  readonly body?: Uint8Array;
  /** Leaves the request open after `body`. */
  readonly isUnfinished?: boolean;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends one request on its own connection and reads the whole answer. */
export function sendRaw(url: string, request: RawRequest, signal?: AbortSignal): Promise<RawAnswer> {
  const { host, hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = http.request(
      {
        agent: false,
        hostname,
        port,
        method: request.method ?? 'GET',
        path: request.target,
        headers: ['Host', host, ...(request.headers ?? [])],
        ...(signal && { signal }),
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          outgoing.destroy();
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          });
        });
      },
    );
    outgoing.on('error', reject);
    if (request.isUnfinished === true) {
      outgoing.write(request.body ?? new Uint8Array());
    } else {
      outgoing.end(request.body);
    }
  });
}

/** Sends a body, chunked or with its length. */
export function withBody(target: string, body: Uint8Array, isChunked = false): RawRequest {
  const headers = isChunked ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', String(body.length)];
  return { method: 'POST', target, headers, body };
}

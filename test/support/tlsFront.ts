import http, { type IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import { pipeline } from 'node:stream';
import type { EmulatorCertificate } from '../../local/emulators/certificate.ts';
import { listen } from '../../local/emulators/listen.ts';

/** A request that has gone through the front. */
export interface FrontedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** What stands before the app in Azure: TLS ends here, and everything goes on as it comes. */
export interface TlsFront {
  /** `https://localhost:{port}` */
  readonly url: string;
  /** Oldest first. */
  readonly requests: readonly FrontedRequest[];
  /** Where requests go from now on: `http://{host}:{port}`. */
  forwardTo(url: string): void;
  reset(): void;
  close(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1. The certificate must name localhost. */
export async function startTlsFront(certificate: EmulatorCertificate): Promise<TlsFront> {
  const requests: FrontedRequest[] = [];
  let target: string | undefined;
  const server = https.createServer({ cert: certificate.cert, key: certificate.key }, (request, response) => {
    const { method = '', url: path = '', headers, rawHeaders } = request;
    requests.push({ method, path, headers });
    const outgoing = http.request(`${target}${path}`, { method, headers: rawHeaders });
    outgoing.on('response', (incoming) => {
      response.writeHead(incoming.statusCode ?? 502, incoming.rawHeaders);
      pipeline(incoming, response, () => {});
    });
    outgoing.on('error', () => response.destroy());
    response.once('close', () => outgoing.destroy());
    request.pipe(outgoing);
  });
  const { port, close } = await listen(server);
  return {
    url: `https://localhost:${port}`,
    requests,
    forwardTo(url) {
      target = url;
    },
    reset() {
      requests.length = 0;
    },
    close,
  };
}

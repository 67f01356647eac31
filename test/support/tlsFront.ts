import http, { type IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import { pipeline } from 'node:stream';
import type { EmulatorCertificate } from '../../local/emulators/common/certificate.ts';
import { listen } from '../../local/listen.ts';

/** A request that has gone through the front. */
export interface FrontedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** What a front can do to one request. */
export interface FrontFault {
  readonly method: string;
  /** Which request with this method from now on, counted from 1. */
  readonly nth: number;
  /** Answers in the app's place, or when the app has answered, or breaks off when the app has answered. */
  readonly kind: 'answers503' | 'answers503Afterwards' | 'losesAnswer';
}

/** What stands before the app in Azure: TLS ends here, and everything goes on as it comes. */
export interface TlsFront {
  /** `https://{host}:{port}` */
  readonly url: string;
  /** Oldest first. */
  readonly requests: readonly FrontedRequest[];
  /** Where requests go from now on: `http://{host}:{port}`. */
  forwardTo(url: string): void;
  play(fault: FrontFault): void;
  reset(): void;
  close(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1. The certificate must name the host; clients must find it there. */
export async function startTlsFront(certificate: EmulatorCertificate, host = 'localhost'): Promise<TlsFront> {
  const requests: FrontedRequest[] = [];
  const faults: (FrontFault & { seen: number })[] = [];
  let target: string | undefined;
  const forward = (request: http.IncomingMessage, response: http.ServerResponse) => {
    const { method = '', url: path = '', headers, rawHeaders } = request;
    requests.push({ method, path, headers });
    const fault = takeFault(faults, method);
    if (fault === 'answers503') {
      void answer503(request, response);
      return;
    }
    const outgoing = http.request(`${target}${path}`, { method, headers: rawHeaders });
    // Whether the body is wanted, the app says: a front that asks for it by itself would have it sent behind a refusal.
    outgoing.on('continue', () => response.writeContinue());
    let isAnswered = false;
    outgoing.on('response', async (incoming) => {
      isAnswered = true;
      if (fault !== undefined) {
        await incoming.toArray();
        if (fault === 'losesAnswer') response.destroy();
        else response.writeHead(503).end();
        return;
      }
      response.writeHead(incoming.statusCode ?? 502, incoming.rawHeaders);
      pipeline(incoming, response, () => {});
    });
    // The connection may close behind an early answer, while the body is still on its way.
    outgoing.on('error', () => isAnswered || response.destroy());
    response.once('close', () => outgoing.destroy());
    request.pipe(outgoing);
  };
  const server = https.createServer({ cert: certificate.cert, key: certificate.key }, forward);
  server.on('checkContinue', forward);
  const { port, close } = await listen(server);
  return {
    url: `https://${host}:${port}`,
    requests,
    forwardTo(url) {
      target = url;
    },
    play: (fault) => faults.push({ ...fault, seen: 0 }),
    reset() {
      requests.length = 0;
      faults.length = 0;
    },
    close,
  };
}

function takeFault(faults: (FrontFault & { seen: number })[], method: string): FrontFault['kind'] | undefined {
  const due = faults.filter((fault) => fault.method === method && ++fault.seen === fault.nth);
  return due[0]?.kind;
}

async function answer503(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  if (request.headers.expect !== undefined) response.writeContinue();
  await request.toArray();
  response.writeHead(503, { 'retry-after': '1' }).end();
}

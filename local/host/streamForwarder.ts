import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { endToEndHeaders } from './hopByHopHeaders.ts';
import { answerEmpty, REQUEST_BODY_LIMIT_BYTES, SERVER_HEADER } from './kestrel.ts';
import { encodePathFully, type RequestTarget } from './requestTarget.ts';

export interface StreamForwarder {
  /** Sends the request on as it comes in and relays the answer as it comes back. */
  forward(request: IncomingMessage, response: ServerResponse, target: RequestTarget, invocationId: string): void;
  close(): void;
}

/** How long nothing may move in either direction (Azure Functions host: DefaultHttpProxyService). */
const INACTIVITY_TIMEOUT_MS = 240_000;

/** What the forwarder sets itself, or has answered already. */
const OWN_HEADERS = ['host', 'expect', 'x-ms-invocation-id', 'x-forwarded-host', 'x-forwarded-proto'];

/** Forwards to the address a streaming app announces as `HttpUri`, over connections that are kept. */
export function createStreamForwarder(httpUri: string): StreamForwarder {
  const { hostname, port, host } = new URL(httpUri);
  const agent = new http.Agent({ keepAlive: true, timeout: INACTIVITY_TIMEOUT_MS });
  return {
    forward(request, response, target, invocationId) {
      const outgoing = http.request({
        agent,
        hostname,
        port,
        method: request.method,
        path: encodePathFully(target.path) + target.query,
        headers: [...forwardedHeaders(request, invocationId), 'Host', host],
      });
      // Else the agent takes the worker's keep-alive hint for the time that an answer may take.
      outgoing.setTimeout(INACTIVITY_TIMEOUT_MS);
      outgoing.on('response', (incoming) => relayAnswer(outgoing, incoming, response));
      outgoing.on('timeout', () => outgoing.destroy());
      outgoing.on('error', () => {
        // Once an answer has begun, `relayAnswer` alone ends it.
        if (!response.headersSent) {
          answerEmpty(response, 500);
        }
      });
      response.once('close', () => {
        if (!response.writableFinished) {
          outgoing.destroy();
        }
      });
      outgoing.flushHeaders(); // As YARP does: the app may answer from the headers alone.
      sendBody(request, outgoing);
    },
    close: () => agent.destroy(),
  };
}

function forwardedHeaders(request: IncomingMessage, invocationId: string): string[] {
  const headers = endToEndHeaders(request.rawHeaders, OWN_HEADERS);
  headers.push('x-ms-invocation-id', invocationId);
  headers.push('x-forwarded-host', request.headers.host ?? '', 'x-forwarded-proto', 'http');
  if (isChunked(request)) {
    headers.push('Transfer-Encoding', 'chunked');
  }
  return headers;
}

function isChunked(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined;
}

function sendBody(request: IncomingMessage, outgoing: http.ClientRequest): void {
  if (!isChunked(request)) {
    if (Number(request.headers['content-length']) > 0) {
      request.pipe(outgoing);
    } else {
      outgoing.end();
    }
    return;
  }
  let receivedBytes = 0;
  request.on('data', (chunk: Buffer) => {
    receivedBytes += chunk.length;
    if (receivedBytes > REQUEST_BODY_LIMIT_BYTES) {
      outgoing.destroy(new Error('The request body is too long.'));
    }
  });
  request.pipe(outgoing);
}

function relayAnswer(outgoing: http.ClientRequest, incoming: IncomingMessage, response: ServerResponse): void {
  response.writeHead(incoming.statusCode ?? 500, [
    ...endToEndHeaders(incoming.rawHeaders, ['server']),
    ...SERVER_HEADER,
  ]);
  // An answer cut short on the way in is cut short on the way out, so that the client sees it.
  pipeline(incoming, response, () => {
    if (!outgoing.writableFinished) {
      outgoing.destroy();
    }
  });
}

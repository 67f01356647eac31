import { Agent, request } from 'node:http';
import type { FuzzRequest } from './arbitraries.ts';

export interface FuzzAnswer {
  readonly status: number;
  readonly text: string;
}

/** Far beyond the budget of the sites that are fuzzed. */
const HUNG_AFTER_MS = 15_000;

/** Sends requests as they are, over kept-alive connections. Rejects where no whole answer comes. */
export function createFuzzClient(api: string, connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const { hostname, port, pathname } = new URL(api);

  function send({ method, path, headers, body }: FuzzRequest, clientRequestId: string): Promise<FuzzAnswer> {
    return new Promise((resolve, reject) => {
      const outgoing = request({
        agent,
        hostname,
        port,
        method,
        path: `${pathname}/${path}`,
        headers: { ...headers, 'client-request-id': clientRequestId, 'content-length': body.length },
        timeout: HUNG_AFTER_MS,
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error('hung')));
      outgoing.on('error', reject);
      outgoing.on('response', (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      });
      outgoing.end(body);
    });
  }

  return { send, close: () => agent.destroy() };
}

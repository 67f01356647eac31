import { Readable } from 'node:stream';
import { type Dispatcher, request } from 'undici';
import type { RetryPolicy } from './readDefinition.ts';

export interface EngineRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes?: Buffer;
  /** Whether Content-Length says how long the body is; not every request of the engine does. */
  readonly saysLength: boolean;
}

export interface EngineAnswer {
  readonly statusCode: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
}

/** learn.microsoft.com/azure/logic-apps/error-exception-handling#retry-policies: exponential, four repetitions. */
const DEFAULT_RETRIES = 4;

/**
 * Sends a request, and again as the policy says: on 408, 429 and 5xx and where no answer came. The waits between are left out.
 * Rejects where no answer came to the last one.
 */
export async function sendWithRetries(
  outgoing: EngineRequest,
  policy: RetryPolicy | undefined,
  dispatcher: Dispatcher,
): Promise<EngineAnswer> {
  const retries = policy?.type === 'none' ? 0 : (policy?.count ?? DEFAULT_RETRIES);
  for (let attempt = 0; ; attempt += 1) {
    try {
      const answer = await send(outgoing, dispatcher);
      if (attempt === retries || !isPassing(answer.statusCode)) return answer;
    } catch (error) {
      if (attempt === retries) throw error;
    }
  }
}

function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

async function send(
  { method, url, headers, bytes, saysLength }: EngineRequest,
  dispatcher: Dispatcher,
): Promise<EngineAnswer> {
  const response = await request(url, {
    method: method as Dispatcher.HttpMethod,
    headers: { ...headers, ...(bytes === undefined && method !== 'GET' && { 'content-length': '0' }) },
    body: bytes === undefined || saysLength ? (bytes ?? null) : Readable.from([bytes], { objectMode: false }),
    dispatcher,
  });
  const received = Object.entries(response.headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]);
  return {
    statusCode: response.statusCode,
    headers: Object.fromEntries(received),
    bytes: Buffer.from(await response.body.arrayBuffer()),
  };
}

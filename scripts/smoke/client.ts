import { rootCertificates } from 'node:tls';
import { Agent, fetch } from 'undici';
import type { SmokeOptions } from './options.ts';

/** Longer than the proxy's own 30 s for one request. */
const TIMEOUT_MS = 45_000;

export interface SmokeAnswer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  /** Undefined where the body is not JSON. */
  readonly json: unknown;
}

export interface SmokeCall {
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as they are. */
  readonly bytes?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Without credentials. */
  readonly isOpen?: boolean;
}

export interface SmokeClient {
  /** To the proxy, below its route prefix. */
  call(method: string, path: string, options?: SmokeCall): Promise<SmokeAnswer>;
  /** To an uploadUrl: without credentials, as Outlook demands. */
  cancel(uploadUrl: string): Promise<SmokeAnswer>;
  close(): Promise<void>;
}

/** No answer came. The message holds no part of the request, whose headers and address may be secrets. */
export class NoAnswer extends Error {}

export function createClient({ url, key, token, ca }: SmokeOptions): SmokeClient {
  const dispatcher = new Agent(ca === undefined ? {} : { connect: { ca: [...rootCertificates, ca] } });
  const credentials = {
    ...(key !== undefined && { 'x-functions-key': key }),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };

  async function send(
    method: string,
    address: string,
    headers: Record<string, string>,
    body?: string,
  ): Promise<SmokeAnswer> {
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const response = await fetch(address, {
        method,
        headers,
        body: body ?? null,
        redirect: 'manual',
        dispatcher,
        signal,
      });
      const text = await response.text();
      return { status: response.status, header: (name) => response.headers.get(name) ?? undefined, json: parse(text) };
    } catch (error) {
      throw new NoAnswer(describe(error));
    }
  }

  return {
    call(method, path, { body, bytes, headers, isOpen = false } = {}) {
      const type = body === undefined ? {} : { 'content-type': 'application/json' };
      const content = body === undefined ? bytes : JSON.stringify(body);
      return send(method, `${url}/api/${path}`, { ...(isOpen ? {} : credentials), ...type, ...headers }, content);
    },
    cancel: (uploadUrl) => send('DELETE', uploadUrl, {}),
    close: () => dispatcher.close(),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The code of the network error, such as ECONNREFUSED; never its message, which may quote a header. */
function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof Error && cause.name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return `no answer: ${cause.code}`;
  return 'the request could not be sent';
}

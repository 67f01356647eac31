import { randomUUID } from 'node:crypto';
import { type IncomingHttpHeaders, request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { createCertificate } from '../../local/emulators/common/certificate.ts';
import { createTokenRegistry, type TokenRegistry } from '../../local/emulators/common/tokenRegistry.ts';
import {
  type GraphEmulator,
  type GraphEmulatorOptions,
  startGraphEmulator,
} from '../../local/emulators/graph/graph.ts';
import { ADELE } from '../../local/emulators/graph/seed.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // The bodies are the emulators' own; each test names the members that it reads.
  readonly json: Record<string, unknown>;
}

export interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly ca?: string;
  /** After this the client goes away and the call rejects. */
  readonly timeoutMs?: number;
}

/** One request on its own connection. Rejects when the answer does not arrive whole. */
export function send(url: string, { method = 'GET', headers = {}, body, ca, timeoutMs }: Call = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const signal = timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) };
    const options = { method, headers, agent: false as const, ...signal };
    const request = url.startsWith('https:')
      ? secureRequest(url, { ...options, ...(ca === undefined ? {} : { ca }) })
      : plainRequest(url, options);
    request.on('error', reject);
    request.on('response', (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(parts).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parse(text) });
      });
    });
    request.end(body);
  });
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

export interface GraphBench {
  readonly graph: GraphEmulator;
  readonly tokens: TokenRegistry;
  readonly clock: { ms: number };
  /** A good token for Graph: a user's when an object id is given, else an app-only one. */
  token(userId?: string): string;
  /** A call with a good token, unless `headers` says otherwise. */
  call(method: string, path: string, options?: Call): Promise<Answer>;
  /** Opens a session. */
  create(path: string, body?: unknown, options?: Call): Promise<Answer>;
}

export const MESSAGE = `/v1.0/users/${ADELE.userPrincipalName}/messages/${ADELE.items.message[0]}`;

export function attachmentItem(members: Record<string, unknown> = {}): unknown {
  return { AttachmentItem: { attachmentType: 'file', name: 'plan.pdf', size: 3_000_000, ...members } };
}

export async function startGraph(options: Partial<GraphEmulatorOptions> = {}): Promise<GraphBench> {
  const clock = { ms: Date.parse('2026-01-02T03:04:05.678Z') };
  const tokens = createTokenRegistry(() => clock.ms);
  const certificate = await createCertificate();
  const graph = await startGraphEmulator({ certificate, tokens, now: () => clock.ms, ...options });
  const token = (user?: string) => {
    const made = randomUUID();
    const holder = user === undefined ? {} : { user };
    tokens.remember(made, 'https://graph.microsoft.com', clock.ms + 3_600_000, holder);
    return made;
  };
  const call = (method: string, path: string, { headers, ...rest }: Call = {}) => {
    const url = path.startsWith('https:') ? path : `${graph.url}${path}`;
    return send(url, {
      method,
      ca: certificate.ca,
      headers: headers ?? { authorization: `Bearer ${token()}` },
      ...rest,
    });
  };
  return {
    graph,
    tokens,
    clock,
    token,
    call,
    create(path, body = attachmentItem(), options = {}) {
      const good = tokens.issue({ audience: graph.url, lifetimeSeconds: 3600 });
      const headers = { authorization: `Bearer ${good}`, 'content-type': 'application/json', ...options.headers };
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      return call('POST', `${path}/attachments/createUploadSession`, { ...options, headers, body: text });
    },
  };
}

/** The code and message of a body in Graph's error shape, and its inner members. */
export function errorOf(answer: Answer): Record<string, unknown> {
  const { error } = answer.json;
  return typeof error === 'object' && error !== null ? { ...error } : {};
}

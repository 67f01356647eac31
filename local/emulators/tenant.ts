import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EmulatorCertificate } from './certificate.ts';
import { listen } from './listen.ts';
import { readBody } from './readBody.ts';
import { checkTokenRequest, type TenantClient } from './tenantTokenEndpoint.ts';
import { createSigningKey, type IssueOptions, makeToken, type SigningKey, type TokenSubject } from './tenantTokens.ts';
import { createTokenRegistry, type TokenRegistry } from './tokenRegistry.ts';

export interface TenantEmulatorOptions {
  readonly port?: number;
  readonly tenantId?: string;
  /** With one, the tenant is served over HTTPS as well, on a port of its own. */
  readonly certificate?: EmulatorCertificate;
  /** Where tokens of the token endpoint are remembered; share it with the Graph emulator. */
  readonly tokens?: TokenRegistry;
  readonly now?: () => number;
  /** The apps that may ask the token endpoint. */
  readonly clients?: readonly TenantClient[];
}

/** `down` closes the connection, `failing` answers 500, `garbage` 200 without JSON, `slow` late, `hanging` never. */
export type TenantFault = 'none' | 'down' | 'failing' | 'slow' | 'hanging' | 'garbage';

export interface TenantEmulator {
  readonly tenantId: string;
  /** The authority host over HTTP. */
  readonly url: string;
  /** The authority host over HTTPS, when a certificate was given. */
  readonly secureUrl: string | undefined;
  readonly issuers: { readonly v1: string; readonly v2: string };
  /** How often the key set was asked for, refused requests included. */
  readonly keyFetches: number;
  /** How often the token endpoint was asked. */
  readonly tokenRequests: number;
  issue(subject: TokenSubject, options?: IssueOptions): Promise<string>;
  /** Signs with a new key from now on; the old one stays published when `keepOld`. */
  rotate(options?: { readonly keepOld?: boolean }): Promise<void>;
  /** For every request until `none`; `ms` is the wait of `slow`, default 2000. */
  play(fault: TenantFault, options?: { readonly ms?: number }): void;
  /** Ends the fault and begins the counts anew; keys stay. */
  reset(): void;
  close(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

const MAX_FORM_BYTES = 65_536;
const TOKEN_SECONDS = 3599;
const DEFAULT_TENANT_ID = '5d6ae1c5-5c76-4cd2-92f5-9c4cd04ba4b5';
const NOT_FOUND: Reply = { status: 404, body: { error: 'not_found' } };

/** Starts an Entra tenant: its key set, its metadata, and its token endpoint for apps. */
export async function startTenantEmulator(options: TenantEmulatorOptions = {}): Promise<TenantEmulator> {
  const { tenantId = DEFAULT_TENANT_ID, now = Date.now, clients = [], certificate } = options;
  const tokens = options.tokens ?? createTokenRegistry(now);
  const strangersKey = await createSigningKey();
  let key = await createSigningKey();
  let published: readonly SigningKey[] = [key];
  let fault: { readonly name: TenantFault; readonly ms: number } = { name: 'none', ms: 0 };
  let keyFetches = 0;
  let tokenRequests = 0;

  function issue(subject: TokenSubject, how: IssueOptions = {}): Promise<string> {
    const nowSeconds = Math.floor(now() / 1000);
    return makeToken({ tenantId, issuers, key, strangersKey, nowSeconds }, subject, how);
  }

  async function grant(request: IncomingMessage): Promise<Reply> {
    tokenRequests += 1;
    const form = new URLSearchParams(await readBody(request, MAX_FORM_BYTES));
    const checked = await checkTokenRequest(form, clients, new Date(now()));
    if (checked.kind === 'refused') {
      return { status: checked.status, body: { error: checked.error, error_description: checked.description } };
    }
    const { client, resource } = checked;
    // A v2 token names the API by its client id, which an App ID URI of the default form holds.
    const subject = { audience: resource.replace(/^api:\/\//, ''), appId: client.clientId, roles: client.roles ?? [] };
    const token = await issue(subject, { lifetimeSeconds: TOKEN_SECONDS });
    tokens.remember(token, resource, now() + TOKEN_SECONDS * 1000);
    return {
      status: 200,
      body: { token_type: 'Bearer', expires_in: TOKEN_SECONDS, ext_expires_in: TOKEN_SECONDS, access_token: token },
    };
  }

  async function answer(request: IncomingMessage, base: string): Promise<Reply> {
    const { pathname } = new URL(request.url ?? '/', base);
    switch (`${request.method} ${pathname}`) {
      case `GET /${tenantId}/discovery/v2.0/keys`:
        return { status: 200, body: { keys: published.map(({ jwk }) => jwk) } };
      case `GET /${tenantId}/v2.0/.well-known/openid-configuration`:
        return { status: 200, body: metadata(`${base}/${tenantId}`) };
      case `POST /${tenantId}/oauth2/v2.0/token`:
        return grant(request);
      default:
        return NOT_FOUND;
    }
  }

  async function serve(request: IncomingMessage, response: ServerResponse, base: string): Promise<void> {
    if (request.url?.includes('/discovery/v2.0/keys')) keyFetches += 1;
    const { name, ms } = fault;
    if (name === 'hanging') return;
    if (name === 'down') {
      request.socket.destroy();
      return;
    }
    if (name === 'slow') await sleep(ms);
    const reply = name === 'failing' ? { status: 500, body: { error: 'server_error' } } : await answer(request, base);
    response.writeHead(reply.status, {
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': 'no-store',
    });
    response.end(name === 'garbage' ? '<html>' : JSON.stringify(reply.body));
  }

  const plain = createServer((request, response) => void serve(request, response, url));
  const listener = await listen(plain, options.port);
  const url = `http://127.0.0.1:${listener.port}`;
  const issuers = { v1: `https://sts.windows.net/${tenantId}/`, v2: `${url}/${tenantId}/v2.0` };
  const secure = certificate && (await listenSecurely(certificate, serve));

  return {
    tenantId,
    url,
    secureUrl: secure?.url,
    issuers,
    get keyFetches() {
      return keyFetches;
    },
    get tokenRequests() {
      return tokenRequests;
    },
    issue,
    async rotate({ keepOld = false } = {}) {
      key = await createSigningKey();
      published = keepOld ? [...published, key] : [key];
    },
    play(name, { ms = 2000 } = {}) {
      fault = { name, ms };
    },
    reset() {
      fault = { name: 'none', ms: 0 };
      keyFetches = 0;
      tokenRequests = 0;
    },
    async close() {
      await Promise.all([listener.close(), secure?.close()]);
    },
  };
}

type Serve = (request: IncomingMessage, response: ServerResponse, base: string) => Promise<void>;

/** The identity library takes an authority over HTTPS only. */
async function listenSecurely(
  { cert, key }: EmulatorCertificate,
  serve: Serve,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createSecureServer({ cert, key }, (request, response) => void serve(request, response, url));
  const { port, close } = await listen(server);
  const url = `https://localhost:${port}`;
  return { url, close };
}

function metadata(base: string): object {
  return {
    issuer: `${base}/v2.0`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    token_endpoint: `${base}/oauth2/v2.0/token`,
    jwks_uri: `${base}/discovery/v2.0/keys`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt'],
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
  };
}

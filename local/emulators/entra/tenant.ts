import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { EmulatorCertificate } from '../common/certificate.ts';
import { listen, readBody } from '../common/listen.ts';
import { createTokenRegistry, type TokenRegistry } from '../common/tokenRegistry.ts';
import type { TenantClient } from './tenantClient.ts';
import type { TokenErrorName } from './tenantErrors.ts';
import { createTenantErrors, type PlayOptions, type TenantError } from './tenantFaults.ts';
import { createTokenGrants, type OnBehalfOfRequest, type Reply } from './tokenEndpoint.ts';
import { createSigningKey, type IssueOptions, makeToken, type SigningKey, type TokenSubject } from './tokens.ts';

export interface TenantEmulatorOptions {
  readonly port?: number;
  readonly tenantId?: string;
  /** With one, the tenant is served over HTTPS as well, on a port of its own. */
  readonly certificate?: EmulatorCertificate;
  /** Where tokens of the token endpoint are remembered; share it with the Graph and identity emulators. */
  readonly tokens?: TokenRegistry;
  readonly now?: () => number;
  /** The apps that may ask the token endpoint. */
  readonly clients?: readonly TenantClient[];
}

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
  /** What it was asked on behalf of users, refused requests included, oldest first. */
  readonly onBehalfOf: readonly OnBehalfOfRequest[];
  issue(subject: TokenSubject, options?: IssueOptions): Promise<string>;
  /** Signs with a new key from now on; the old one stays published when `keepOld`. */
  rotate(options?: { readonly keepOld?: boolean }): Promise<void>;
  /**
   * Fails or refuses until `none`. `interactionRequired` and `enrolmentRequired` let a user pass whose token has the
   * demanded context in `acrs`, as after a sign-in with the challenge.
   */
  play(fault: TenantError | TokenErrorName, options?: PlayOptions): void;
  /** Ends the fault and begins the counts anew; keys stay. */
  reset(): void;
  close(): Promise<void>;
}

const MAX_FORM_BYTES = 65_536;
const DEFAULT_TENANT_ID = '5d6ae1c5-5c76-4cd2-92f5-9c4cd04ba4b5';
const NOT_FOUND: Reply = { status: 404, body: { error: 'not_found' } };

/** Starts an Entra tenant: its key set, its metadata, and its token endpoint for apps and for apps that act for users. */
export async function startTenantEmulator(options: TenantEmulatorOptions = {}): Promise<TenantEmulator> {
  const { tenantId = DEFAULT_TENANT_ID, now = Date.now, clients = [], certificate } = options;
  const tokens = options.tokens ?? createTokenRegistry(now);
  const strangersKey = await createSigningKey();
  let key = await createSigningKey();
  let published: readonly SigningKey[] = [key];
  let keyFetches = 0;
  let tokenRequests = 0;
  const faults = createTenantErrors();
  const grants = createTokenGrants({
    tenantId,
    tokens,
    now,
    endpoint: () => ({
      clients,
      tokens,
      keys: { published: published.map(({ jwk }) => jwk), issuers: ownIssuers() },
      now: new Date(now()),
    }),
    issue,
    playedRefusal: faults.refusal,
  });

  function issue(subject: TokenSubject, how: IssueOptions = {}): Promise<string> {
    const nowSeconds = Math.floor(now() / 1000);
    return makeToken({ tenantId, issuers, key, strangersKey, nowSeconds }, subject, how);
  }

  function ownIssuers(): string[] {
    return [issuers.v1, issuers.v2, ...(secure === undefined ? [] : [`${secure.url}/${tenantId}/v2.0`])];
  }

  async function answer(request: IncomingMessage, base: string): Promise<Reply> {
    const { pathname } = new URL(request.url ?? '/', base);
    switch (`${request.method} ${pathname}`) {
      case `GET /${tenantId}/discovery/v2.0/keys`:
        return { status: 200, body: { keys: published.map(({ jwk }) => jwk) } };
      case `GET /${tenantId}/v2.0/.well-known/openid-configuration`:
        return { status: 200, body: metadata(`${base}/${tenantId}`) };
      case `POST /${tenantId}/oauth2/v2.0/token`:
        return grants.answer(new URLSearchParams(await readBody(request, MAX_FORM_BYTES)));
      default:
        return NOT_FOUND;
    }
  }

  async function serve(request: IncomingMessage, response: ServerResponse, base: string): Promise<void> {
    const isTokenRequest = request.url?.includes('/oauth2/v2.0/token') === true;
    if (request.url?.includes('/discovery/v2.0/keys')) keyFetches += 1;
    if (isTokenRequest) tokenRequests += 1;
    const fault = await faults.strike(isTokenRequest);
    if (fault === 'hanging') return;
    if (fault === 'down') {
      request.socket.destroy();
      return;
    }
    const failing: Reply = { status: 500, body: { error: 'server_error' } };
    const reply = fault === 'failing' ? failing : await answer(request, base);
    response.writeHead(reply.status, {
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': 'no-store',
      ...reply.headers,
    });
    response.end(fault === 'garbage' ? '<html>' : JSON.stringify(reply.body));
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
    onBehalfOf: grants.onBehalfOf,
    issue,
    async rotate({ keepOld = false } = {}) {
      key = await createSigningKey();
      published = keepOld ? [...published, key] : [key];
    },
    play: faults.play,
    reset() {
      faults.play('none');
      keyFetches = 0;
      tokenRequests = 0;
      grants.onBehalfOf.length = 0;
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

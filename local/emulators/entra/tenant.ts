import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { JWK } from 'jose';
import { listen, readBody } from '../../listen.ts';
import type { EmulatorCertificate } from '../common/certificate.ts';
import { createTokenRegistry, type TokenRegistry } from '../common/tokenRegistry.ts';
import { createTenantErrors } from './tenantErrors.ts';
import { createTokenGrants, type TenantResponse } from './tokenEndpoint.ts';
import type { TenantClient } from './tokenRequest.ts';
import { createSigningKey, type IssueOptions, makeToken, type SigningKey, type TokenSubject } from './tokens.ts';

export interface TenantEmulatorOptions {
  readonly port?: number;
  readonly tenantId?: string;
  /** Serves the tenant over HTTPS too, on another port. */
  readonly certificate?: EmulatorCertificate;
  /** Shared with the Graph and identity emulators. */
  readonly tokens?: TokenRegistry;
  readonly now?: () => number;
  /** The registered apps. */
  readonly clients?: readonly TenantClient[];
}

export type TenantEmulator = Awaited<ReturnType<typeof startTenantEmulator>>;

const MAX_FORM_BYTES = 65_536;
const DEFAULT_TENANT_ID = '5d6ae1c5-5c76-4cd2-92f5-9c4cd04ba4b5';
const NOT_FOUND: TenantResponse = { status: 404, body: { error: 'not_found' } };
const FAILING: TenantResponse = { status: 500, body: { error: 'server_error' } };

/** Starts an Entra tenant: keys, metadata, and the token endpoint for apps, also on behalf of users. */
export async function startTenantEmulator(options: TenantEmulatorOptions = {}) {
  const { tenantId = DEFAULT_TENANT_ID, now = Date.now, clients = [], certificate } = options;
  const tokens = options.tokens ?? createTokenRegistry(now);
  const strangersKey = await createSigningKey();
  let key = await createSigningKey();
  let published: readonly SigningKey[] = [key];
  let keyFetches = 0;
  let tokenRequests = 0;
  const errors = createTenantErrors();
  const grants = createTokenGrants({
    tenantId,
    tokens,
    now,
    endpoint: () => ({ clients, tokens, keys: publishedKeys(), issuers: ownIssuers(), now: new Date(now()) }),
    issue,
    takeTokenError: errors.takeTokenError,
  });

  function issue(subject: TokenSubject, how: IssueOptions = {}): Promise<string> {
    const nowSeconds = Math.floor(now() / 1000);
    return makeToken({ tenantId, issuers, key, strangersKey, nowSeconds }, subject, how);
  }

  function publishedKeys(): JWK[] {
    return published.map(({ jwk }) => jwk);
  }

  function ownIssuers(): string[] {
    return [issuers.v1, issuers.v2, ...(secureUrl === undefined ? [] : [`${secureUrl}/${tenantId}/v2.0`])];
  }

  async function respond(request: IncomingMessage, base: string): Promise<TenantResponse> {
    const { pathname } = new URL(request.url ?? '/', base);
    switch (`${request.method} ${pathname}`) {
      case `GET /${tenantId}/discovery/v2.0/keys`:
        return { status: 200, body: { keys: publishedKeys() } };
      case `GET /${tenantId}/v2.0/.well-known/openid-configuration`:
        return { status: 200, body: metadata(`${base}/${tenantId}`) };
      case `POST /${tenantId}/oauth2/v2.0/token`:
        return grants.respond(new URLSearchParams(await readBody(request, MAX_FORM_BYTES)));
      default:
        return NOT_FOUND;
    }
  }

  async function serve(request: IncomingMessage, response: ServerResponse, base: string): Promise<void> {
    const isTokenRequest = request.url?.includes('/oauth2/v2.0/token') === true;
    if (request.url?.includes('/discovery/v2.0/keys')) keyFetches += 1;
    if (isTokenRequest) tokenRequests += 1;
    const error = await errors.take(isTokenRequest);
    if (error === 'hanging') return;
    if (error === 'down') {
      request.socket.destroy();
      return;
    }
    const { status, headers, body } = error === 'failing' ? FAILING : await respond(request, base);
    response.writeHead(status, {
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': 'no-store',
      ...headers,
    });
    response.end(error === 'garbage' ? '<html>' : JSON.stringify(body));
  }

  const plain = createServer((request, response) => void serve(request, response, url));
  const listener = await listen(plain, options.port);
  const url = `http://127.0.0.1:${listener.port}`;
  const issuers = { v1: `https://sts.windows.net/${tenantId}/`, v2: `${url}/${tenantId}/v2.0` };
  // The identity library accepts an authority over HTTPS only.
  const secureServer =
    certificate &&
    createSecureServer({ cert: certificate.cert, key: certificate.key }, (request, response) => {
      void serve(request, response, secureUrl ?? '');
    });
  const secureListener = secureServer && (await listen(secureServer));
  const secureUrl = secureListener && `https://localhost:${secureListener.port}`;

  return {
    tenantId,
    /** The authority host over HTTP. */
    url,
    /** The authority host over HTTPS, if a certificate was given. */
    secureUrl,
    issuers,
    /** Number of requests for the keys, rejected ones included. */
    get keyFetches() {
      return keyFetches;
    },
    /** Number of requests to the token endpoint. */
    get tokenRequests() {
      return tokenRequests;
    },
    /** Its requests on behalf of users, rejected ones included, oldest first. */
    onBehalfOf: grants.onBehalfOf,
    issue,
    /** Signs with a new key from now on; `keepOld` keeps the old one published. */
    async rotate({ keepOld = false }: { readonly keepOld?: boolean } = {}): Promise<void> {
      key = await createSigningKey();
      published = keepOld ? [...published, key] : [key];
    },
    /**
     * Fails until `none` is played. `interactionRequired` and `enrolmentRequired` do not apply to a user whose token has the
     * demanded context in `acrs`, as after a sign-in with the challenge.
     */
    play: errors.play,
    /** Ends the error and resets the counts; the keys stay. */
    reset(): void {
      errors.play('none');
      keyFetches = 0;
      tokenRequests = 0;
      grants.onBehalfOf.length = 0;
    },
    async close(): Promise<void> {
      await Promise.all([listener.close(), secureListener?.close()]);
    },
  };
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

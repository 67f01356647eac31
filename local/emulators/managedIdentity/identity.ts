import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from '../../listen.ts';
import { createPlayback } from '../common/playback.ts';
import { createTokenRegistry, type TokenRegistry } from '../common/tokenRegistry.ts';
import {
  errorResponse,
  IDENTITY_ERRORS,
  type IdentityErrorName,
  type IdentityResponse,
  isIdentityErrorName,
  NO_IDENTITY,
  WRONG_HEADER,
} from './identityErrors.ts';

export interface IdentityEmulatorOptions {
  readonly port?: number;
  /** Shared with the Graph emulator. */
  readonly tokens?: TokenRegistry;
  readonly now?: () => number;
  readonly lifetimeSeconds?: number;
  /** Default true. */
  readonly hasSystemAssigned?: boolean;
  /** Client ids of the user-assigned identities. */
  readonly userAssigned?: readonly string[];
}

export interface PlayOptions {
  /** Number of requests; without it all, until `none` is played. */
  readonly times?: number;
  /** The delay of `slow`, default 2000. */
  readonly ms?: number;
}

export interface IdentitySettings {
  lifetimeSeconds: number;
  /** App Service returns one token per resource until it is about to expire; false makes a new one each time. */
  cachesTokens: boolean;
}

export interface IdentityRequest {
  readonly resource: string | null;
  readonly clientId: string | null;
  readonly startedAt: number;
  /** Absent until the response is sent. */
  status?: number;
}

export type IdentityEmulator = Awaited<ReturnType<typeof startIdentityEmulator>>;

const API_VERSION = '2019-08-01';
const SYSTEM_CLIENT_ID = '2f0e3c5a-9b6d-4d0c-8f0e-6d7a3b1c9e42';

/** Starts App Service's identity endpoint: learn.microsoft.com/azure/app-service/overview-managed-identity (REST endpoint reference). */
export async function startIdentityEmulator(options: IdentityEmulatorOptions = {}) {
  const { now = Date.now, hasSystemAssigned = true, userAssigned = [], lifetimeSeconds = 86_400 } = options;
  const tokens = options.tokens ?? createTokenRegistry(now);
  const first: IdentitySettings = { lifetimeSeconds, cachesTokens: false };
  const settings = { ...first };
  const secret = randomBytes(24).toString('hex');
  const requests: IdentityRequest[] = [];
  const cache = new Map<string, { readonly body: string; readonly expiresAt: number }>();
  const playback = createPlayback<{ readonly name: IdentityErrorName; readonly ms: number }>();

  function issue(resource: string, clientId: string): string {
    const cached = cache.get(`${resource} ${clientId}`);
    if (settings.cachesTokens && cached !== undefined && cached.expiresAt * 1000 > now()) return cached.body;
    const seconds = Math.floor(now() / 1000);
    const expiresAt = seconds + settings.lifetimeSeconds;
    const body = JSON.stringify({
      access_token: isStorageResource(resource)
        ? createStorageToken(resource, clientId, seconds, expiresAt)
        : tokens.issue({ audience: resource, lifetimeSeconds: settings.lifetimeSeconds, app: clientId }),
      client_id: clientId,
      expires_on: String(expiresAt),
      not_before: String(seconds),
      resource,
      token_type: 'Bearer',
    });
    cache.set(`${resource} ${clientId}`, { body, expiresAt });
    return body;
  }

  function tokenResponse(query: URLSearchParams, header: string | string[] | undefined): IdentityResponse {
    if (header !== secret) return WRONG_HEADER;
    if (query.get('api-version') !== API_VERSION)
      return errorResponse(400, 'BadRequest', `api-version must be ${API_VERSION}.`);
    const resource = query.get('resource');
    if (resource === null || !/^(https|api):\/\/\S+$/.test(resource))
      return errorResponse(400, 'BadRequest', 'resource must be an https or api URI.');
    const clientId = query.get('client_id');
    if (clientId === null ? !hasSystemAssigned : !userAssigned.includes(clientId)) return NO_IDENTITY;
    return { status: 200, body: issue(resource, clientId ?? SYSTEM_CLIENT_ID) };
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (request.method === 'PUT' && url.pathname === '/emulator/error') {
      send(response, control(url.searchParams));
      return;
    }
    if (request.method !== 'GET' || url.pathname !== '/msi/token') {
      send(response, errorResponse(404, 'NotFound', 'No such path.'));
      return;
    }
    const query = url.searchParams;
    const record: IdentityRequest = {
      resource: query.get('resource'),
      clientId: query.get('client_id'),
      startedAt: Date.now(),
    };
    requests.push(record);
    const played = playback.take();
    const behaviour = played && IDENTITY_ERRORS[played.name].behaviour;
    if (behaviour?.kind === 'hang') return;
    if (behaviour?.kind === 'delay') await sleep(played?.ms);
    const result =
      behaviour?.kind === 'response' ? behaviour : tokenResponse(query, request.headers['x-identity-header']);
    record.status = result.status;
    send(response, result);
  }

  function play(name: IdentityErrorName | 'none', { times, ms = 2000 }: PlayOptions = {}): void {
    playback.play(name === 'none' ? undefined : { name, ms }, times);
  }

  function control(query: URLSearchParams): IdentityResponse {
    const name = query.get('name') ?? '';
    if (name !== 'none' && !isIdentityErrorName(name)) {
      return errorResponse(400, 'BadRequest', `Known errors: none, ${Object.keys(IDENTITY_ERRORS).join(', ')}.`);
    }
    play(name, { ...numberOf(query, 'times'), ...numberOf(query, 'ms') });
    return { status: 200, body: JSON.stringify({ error: name }) };
  }

  const server = createServer((request, response) => void serve(request, response));
  const { port, close } = await listen(server, options.port);
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    /** IDENTITY_HEADER is new at each start. */
    env: { IDENTITY_ENDPOINT: `${url}/msi/token`, IDENTITY_HEADER: secret },
    tokens,
    settings,
    /** Requests for a token, rejected ones included. */
    requests,
    /** Plays an error on the next `times` requests, or on all until `play('none')`. */
    play,
    reset(): void {
      Object.assign(settings, first);
      requests.length = 0;
      cache.clear();
      play('none');
    },
    close,
  };
}

function send(response: ServerResponse, { status, body, headers }: IdentityResponse): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', ...headers });
  response.end(body);
}

function numberOf(query: URLSearchParams, name: 'times' | 'ms'): PlayOptions {
  const text = query.get(name) ?? '';
  return /^\d{1,9}$/.test(text) ? { [name]: Number(text) } : {};
}

function isStorageResource(resource: string): boolean {
  return /^https:\/\/(storage\.azure\.com|[a-z0-9]+\.(blob|queue)\.core\.windows\.net)\/?$/.test(resource);
}

/** A token for Azurite, which reads issuer, audience and times and ignores the signature. */
function createStorageToken(audience: string, clientId: string, notBefore: number, expiresAt: number): string {
  const claims = {
    aud: audience,
    iss: 'https://sts.windows.net/00000000-0000-0000-0000-000000000000/',
    iat: notBefore,
    nbf: notBefore,
    exp: expiresAt,
    appid: clientId,
  };
  const parts = [{ alg: 'RS256', typ: 'JWT' }, claims].map((part) => Buffer.from(JSON.stringify(part)));
  return [...parts, randomBytes(64)].map((part) => part.toString('base64url')).join('.');
}

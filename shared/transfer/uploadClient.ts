import type { Readable } from 'node:stream';
import type { Pool } from 'undici';
import { lazy } from '../common/lazy.ts';
import { ServiceError } from '../errors.ts';
import { createPool, type HttpRequest, httpRequest } from '../graph/httpRequest.ts';
import { type ByteRange, formatContentRange, lengthOf } from './contentRange.ts';

/** Where the bytes go: Outlook's upload host, or Graph itself for To Do. Sends once, retries nothing. */
export interface UploadClient {
  /** @param token with To Do alone: Outlook refuses bytes that come with any Authorization */
  put(address: UploadUrl, range: ByteRange, bytes: Readable, signal: AbortSignal, token?: string): Promise<HttpRequest>;
  /** Ends the session, and with it what it holds. */
  remove(address: UploadUrl, signal: AbortSignal, token?: string): Promise<HttpRequest>;
}

/** @param connect makes the connections to one origin; a failure of it is not kept */
export function createUploadClient(connect: (origin: string) => Promise<Pool> = createPool): UploadClient {
  const pools = new Map<string, () => Promise<Pool>>();

  /** Few origins: readUploadAddress takes those of the settings alone. */
  function poolOf(origin: string): Promise<Pool> {
    const pool = pools.get(origin) ?? lazy(() => connect(origin));
    pools.set(origin, pool);
    return pool();
  }

  return {
    async put({ origin, path }, range, bytes, signal, token) {
      const headers = {
        'content-type': 'application/octet-stream',
        'content-length': String(lengthOf(range)),
        'content-range': formatContentRange(range),
        ...authorization(token),
      };
      // learn.microsoft.com/graph/todo-attachments: bytes go below `/content`, with a bearer token.
      const target = token === undefined ? path : `${path}/content`;
      return httpRequest(await poolOf(origin), { method: 'PUT', path: target, headers, body: bytes }, signal);
    },
    async remove({ origin, path }, signal, token) {
      return httpRequest(await poolOf(origin), { method: 'DELETE', path, headers: authorization(token) }, signal);
    },
  };
}

function authorization(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** An uploadUrl taken apart without being rewritten: its token is bound to its spelling. */
export interface UploadUrl {
  readonly origin: string;
  /** Path and query, byte for byte. */
  readonly path: string;
}

/**
 * Reads Graph's uploadUrl. Bytes go to hosts that the settings name and to Graph's own, over https, to sessions of
 * attachments alone: whatever else an answer of Graph may say, nothing is sent there.
 *
 * @param hosts names with their port where it is not 443
 * @throws ServiceError UploadHostNotAllowed
 */
export function parseUploadUrl(uploadUrl: string, hosts: readonly string[]): UploadUrl {
  const [, authority = '', path = ''] = /^https:\/\/([^/?#\\@]+)(\/[^#\\]*)$/i.exec(uploadUrl) ?? [];
  const url = URL.canParse(uploadUrl) ? new URL(uploadUrl) : undefined;
  const isAllowed = url !== undefined && hosts.includes(url.host) && authority.toLowerCase() === url.host;
  if (!isAllowed || !/\/attachmentSessions\b/i.test(url.pathname) || !isSendable(path)) {
    throw new ServiceError(
      'UploadHostNotAllowed',
      'Graph named an address for the bytes that the proxy may not send to.',
      {
        cause: `host ${url?.host ?? 'unknown'}`,
      },
    );
  }
  return { origin: url.origin, path };
}

/** No byte that ends a request line, and no dot segment that a server would resolve to another resource. */
function isSendable(path: string): boolean {
  return /^[\x21-\x7e]+$/.test(path) && !/\/(\.|%2e){1,2}(\/|\?|$)/i.test(path);
}

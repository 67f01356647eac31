import { randomBytes } from 'node:crypto';

export interface StorageTokenClaims {
  readonly audience: string;
  readonly clientId: string;
  /** Seconds since 1970. */
  readonly notBefore: number;
  readonly expiresAt: number;
}

export function isStorageResource(resource: string): boolean {
  return /^https:\/\/(storage\.azure\.com|[a-z0-9]+\.(blob|queue)\.core\.windows\.net)\/?$/.test(resource);
}

/** A token as Azurite wants it: it reads issuer, audience and times, and leaves the signature alone. */
export function createStorageToken({ audience, clientId, notBefore, expiresAt }: StorageTokenClaims): string {
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

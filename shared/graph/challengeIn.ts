import type { GraphResponse } from './graphAttempt.ts';

/**
 * The claims that Graph demands with a 401, as JSON; undefined where it demands none. Continuous access evaluation:
 * learn.microsoft.com/entra/identity-platform/claims-challenge
 */
export function challengeIn({ headers }: GraphResponse): string | undefined {
  const encoded = /claims="([A-Za-z0-9+/=_-]+)"/.exec(headers['www-authenticate'] ?? '')?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}

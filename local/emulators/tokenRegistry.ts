import { randomBytes } from 'node:crypto';

export type TokenCheck =
  | { readonly kind: 'valid'; readonly audience: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'expired' };

/** What the Graph emulator needs to know about a bearer token. */
export interface TokenChecker {
  check(token: string): TokenCheck;
}

/** The tokens that the emulated issuers gave out, shared by them and the Graph emulator. */
export interface TokenRegistry extends TokenChecker {
  /** Makes an opaque app-only token and remembers it. */
  issue(options: { readonly audience: string; readonly lifetimeSeconds: number }): string;
  /** Remembers a token made elsewhere. */
  remember(token: string, audience: string, expiresAtMs: number): void;
  /** Makes every token given out so far unknown, as when an app's sessions are revoked. */
  revokeAll(): void;
}

/** Drops the oldest when full, so that a long run does not grow. */
const MAX_TOKENS = 10_000;

/** `now` gives epoch milliseconds. */
export function createTokenRegistry(now: () => number = Date.now): TokenRegistry {
  const tokens = new Map<string, { audience: string; expiresAtMs: number }>();

  function remember(token: string, audience: string, expiresAtMs: number): void {
    tokens.set(token, { audience, expiresAtMs });
    const oldest = tokens.keys().next();
    if (tokens.size > MAX_TOKENS && !oldest.done) tokens.delete(oldest.value);
  }

  return {
    remember,
    revokeAll: () => tokens.clear(),
    issue({ audience, lifetimeSeconds }) {
      const token = randomBytes(48).toString('base64url');
      remember(token, audience, now() + lifetimeSeconds * 1000);
      return token;
    },
    check(token) {
      const entry = tokens.get(token);
      if (entry === undefined) return { kind: 'unknown' };
      return entry.expiresAtMs > now() ? { kind: 'valid', audience: entry.audience } : { kind: 'expired' };
    },
  };
}

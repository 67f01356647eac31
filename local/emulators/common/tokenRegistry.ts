import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';

export type TokenCheck =
  | { readonly kind: 'valid'; readonly audience: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'expired' }
  /** The user's sessions were revoked; `claims` is the claims challenge as JSON. */
  | { readonly kind: 'revoked'; readonly claims: string };

/** The app and the user of a token. */
export interface TokenHolder {
  /** Client id of the app or managed identity. */
  readonly app?: string | undefined;
  /** Object id of the user on whose behalf the app acts; absent in an app-only token. */
  readonly user?: string;
}

/** The tokens that the emulated issuers gave out, shared with the Graph emulator. */
export type TokenRegistry = ReturnType<typeof createTokenRegistry>;
export type TokenChecker = Pick<TokenRegistry, 'check' | 'userOf' | 'appOf'>;

interface NewToken {
  readonly audience: string;
  readonly lifetimeSeconds: number;
  readonly app?: string;
}

interface Entry extends TokenHolder {
  readonly audience: string;
  readonly expiresAtMs: number;
  /** Epoch seconds. */
  revokedAt?: number;
}

/** A long run must not fill the memory. */
const MAX_TOKENS = 10_000;

/** `now` gives epoch milliseconds. */
export function createTokenRegistry(now: () => number = Date.now) {
  const tokens = new LRUCache<string, Entry>({ max: MAX_TOKENS });
  return {
    /** Adds a token made elsewhere. */
    remember(token: string, audience: string, expiresAtMs: number, holder?: TokenHolder): void {
      tokens.set(token, { ...holder, audience, expiresAtMs });
    },
    /** Makes every token so far unknown. */
    revokeAll: () => tokens.clear(),
    /** Revokes a user's tokens so far (continuous access evaluation). */
    revokeUser(user: string): void {
      const revokedAt = Math.floor(now() / 1000);
      for (const entry of tokens.values()) if (entry.user === user) entry.revokedAt = revokedAt;
    },
    /** Makes and adds an opaque app-only token. */
    issue({ audience, lifetimeSeconds, app }: NewToken): string {
      const token = randomBytes(48).toString('base64url');
      tokens.set(token, { app, audience, expiresAtMs: now() + lifetimeSeconds * 1000 });
      return token;
    },
    check(token: string): TokenCheck {
      const entry = tokens.get(token);
      if (entry === undefined) return { kind: 'unknown' };
      if (entry.revokedAt !== undefined) return { kind: 'revoked', claims: challengeSince(entry.revokedAt) };
      return entry.expiresAtMs > now() ? { kind: 'valid', audience: entry.audience } : { kind: 'expired' };
    },
    /** Object id of the user; undefined for an app-only or unknown token. */
    userOf: (token: string) => tokens.get(token)?.user,
    /** Client id of the app or managed identity, if the issuer recorded it. */
    appOf: (token: string) => tokens.get(token)?.app,
  };
}

/** As Graph writes it: only a newer token is valid. */
function challengeSince(epochSeconds: number): string {
  return JSON.stringify({ access_token: { nbf: { essential: true, value: String(epochSeconds) } } });
}

/** The holder of the token of a call. */
export type Caller =
  | { readonly kind: 'app' }
  /** An app on behalf of a user, by object id. */
  | { readonly kind: 'user'; readonly userId: string };

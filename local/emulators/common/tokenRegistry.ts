import { randomBytes } from 'node:crypto';

export type TokenCheck =
  | { readonly kind: 'valid'; readonly audience: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'expired' }
  /** The user's sessions were revoked; `claims` is the challenge, as JSON, that a new token must meet. */
  | { readonly kind: 'revoked'; readonly claims: string };

/** Whom a token was given to; both are ids that the issuer knows. */
export interface TokenHolder {
  /** Client id of the app or managed identity. */
  readonly app?: string;
  /** Object id of the user for whom the app acts; absent in an app-only token. */
  readonly user?: string;
}

/** What the emulators need to know about a bearer token. */
export interface TokenChecker {
  check(token: string): TokenCheck;
  /** Object id of the user whose token it is; undefined for an app-only or unknown token. */
  userOf(token: string): string | undefined;
  /** Client id of the app or managed identity that holds it, where its issuer said so. */
  appOf(token: string): string | undefined;
}

/** The tokens that the emulated issuers gave out, shared by them and the Graph emulator. */
export interface TokenRegistry extends TokenChecker {
  /** Makes an opaque app-only token and remembers it. */
  issue(options: { readonly audience: string; readonly lifetimeSeconds: number; readonly app?: string }): string;
  /** Remembers a token made elsewhere. */
  remember(token: string, audience: string, expiresAtMs: number, holder?: TokenHolder): void;
  /** Makes every token given out so far unknown, as when an app's sessions are revoked. */
  revokeAll(): void;
  /** Revokes what a user's apps hold so far (continuous access evaluation). */
  revokeUser(user: string): void;
}

interface Entry extends TokenHolder {
  readonly audience: string;
  readonly expiresAtMs: number;
  /** Epoch seconds. */
  revokedAt?: number;
}

/** Drops the oldest when full, so that a long run does not grow. */
const MAX_TOKENS = 10_000;

/** `now` gives epoch milliseconds. */
export function createTokenRegistry(now: () => number = Date.now): TokenRegistry {
  const tokens = new Map<string, Entry>();

  function remember(token: string, audience: string, expiresAtMs: number, holder: TokenHolder = {}): void {
    tokens.set(token, { ...holder, audience, expiresAtMs });
    const oldest = tokens.keys().next();
    if (tokens.size > MAX_TOKENS && !oldest.done) tokens.delete(oldest.value);
  }

  return {
    remember,
    revokeAll: () => tokens.clear(),
    revokeUser(user) {
      const revokedAt = Math.floor(now() / 1000);
      for (const entry of tokens.values()) if (entry.user === user) entry.revokedAt = revokedAt;
    },
    issue({ audience, lifetimeSeconds, app }) {
      const token = randomBytes(48).toString('base64url');
      remember(token, audience, now() + lifetimeSeconds * 1000, app === undefined ? {} : { app });
      return token;
    },
    check(token) {
      const entry = tokens.get(token);
      if (entry === undefined) return { kind: 'unknown' };
      if (entry.revokedAt !== undefined) return { kind: 'revoked', claims: challengeSince(entry.revokedAt) };
      return entry.expiresAtMs > now() ? { kind: 'valid', audience: entry.audience } : { kind: 'expired' };
    },
    userOf: (token) => tokens.get(token)?.user,
    appOf: (token) => tokens.get(token)?.app,
  };
}

/** As Graph writes it: only a token given out since then will do. */
function challengeSince(epochSeconds: number): string {
  return JSON.stringify({ access_token: { nbf: { essential: true, value: String(epochSeconds) } } });
}

/** Whose token a call came with. */
export type Caller =
  | { readonly kind: 'app' }
  /** An app on behalf of a user, by object id. */
  | { readonly kind: 'user'; readonly userId: string };

/** The program that called, as far as its authentication proves it. */
export type Caller =
  /** Somebody who holds a function key; the platform has checked it, and all holders are one. */
  | { readonly kind: 'functionKey' }
  /** A program with an Entra token of its own. */
  | { readonly kind: 'app'; readonly appId: string }
  /** A program that acts for a signed-in user; only that user's mailbox is in question. */
  | { readonly kind: 'delegated'; readonly appId: string; readonly userId: string };

/** A caller as authentication found it: a user's comes with the token that proved it, so that no request can act for another. */
export type AuthenticatedCaller =
  | Exclude<Caller, { kind: 'delegated' }>
  | (Extract<Caller, { kind: 'delegated' }> & {
      /** The verified token, for the exchange on behalf of its user. */
      readonly assertion: string;
    });

/** Finds out who calls, from the Authorization header alone. */
export interface Authenticator {
  /** @throws ServiceError InvalidAuthenticationToken, CallerNotAllowed, SigningKeysUnavailable, or the signal's reason */
  authenticate(authorization: string | null, signal: AbortSignal): Promise<AuthenticatedCaller>;
}

/** With CALLER_AUTH=functionKey the platform has let nobody through without a key. */
export const functionKeyAuthenticator: Authenticator = {
  authenticate: async () => ({ kind: 'functionKey' }),
};

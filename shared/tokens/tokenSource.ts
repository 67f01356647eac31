import type { AccessToken } from '@azure/identity';
import { abortable, type Deadline } from '../common/deadline.ts';
import {
  MAX_TOKEN_RETRY_PAUSE_MS,
  MIN_TOKEN_RETRY_PAUSE_MS,
  TOKEN_REFRESH_MARGIN_MS,
  TOKEN_TIMEOUT_MS,
  TOKEN_USABLE_MARGIN_MS,
} from '../common/limits.ts';
import { ServiceError } from '../errors.ts';
import type { GraphCredential } from './credential.ts';

/** Where the tokens of a request come from: the app's own, or those of the user for whom it acts. */
export interface TokenSource {
  /**
   * A usable token, fetched if there is none.
   * @throws ServiceError TokenUnavailable (also where the deadline passes first), CallerDisconnected; for a user's what
   *   UserTokens says
   */
  acquire(deadline: Deadline): Promise<string>;
  /**
   * Forgets a token that Graph refused; `claims` is the challenge that came with the refusal (CAE), if any.
   * @throws ServiceError InteractionRequired where the challenge is the user's to meet
   */
  invalidate(token: string, claims?: string): void;
}

export interface TokenSourceOptions {
  readonly createCredential: () => Promise<GraphCredential>;
  readonly scope: string;
  /** Told of each failed fetch, for the log. */
  readonly onFailure: (error: unknown) => void;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

interface HeldToken {
  readonly value: string;
  readonly usableUntil: number;
  readonly refreshFrom: number;
}

/**
 * The app's own token: one fetch at a time, the last good token as long as it is usable.
 *
 * @azure/identity has no single flight, and its early refresh throws although the token it holds is still good; both are
 * fixed here. A failed fetch is followed by a growing pause, so that a broken identity endpoint sees no storm.
 */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const now = options.now ?? Date.now;
  let credential: Promise<GraphCredential> | undefined;
  let held: HeldToken | undefined;
  let pending: Promise<HeldToken> | undefined;
  /** Set while a token that Graph refused is to be replaced. */
  let renewal: { readonly claims: string | undefined } | undefined;
  let failures = 0;
  let lastFailure: unknown;
  let notBefore = 0;

  async function fetchToken(): Promise<HeldToken> {
    credential ??= options.createCredential();
    const claims = renewal?.claims;
    const request = { abortSignal: AbortSignal.timeout(TOKEN_TIMEOUT_MS), ...(claims !== undefined && { claims }) };
    const isRenewal = renewal !== undefined;
    const fetched = credential.then((ready) => ready.getToken(options.scope, request, isRenewal));
    const token = await abortable(fetched, request.abortSignal);
    if (token === null) throw new Error('The credential gave no token.');
    return holdToken(token, now());
  }

  function refresh(): Promise<HeldToken> {
    if (pending !== undefined) return pending;
    const fetched: Promise<HeldToken> = fetchToken().then((fresh) => succeed(fresh, fetched), fail);
    pending = fetched;
    fetched
      .finally(() => {
        if (pending === fetched) pending = undefined;
      })
      .catch(() => {}); // Whoever waits for it sees the failure.
    return fetched;
  }

  function succeed(fresh: HeldToken, fetched: Promise<HeldToken>): HeldToken {
    if (pending !== fetched) return fresh; // Begun before the token was dropped: it must not come back by this way.
    // A credential may answer an early refresh with the very token that is held: then ask again later, not at once.
    const isSame = fresh.value === held?.value;
    notBefore = isSame ? Math.min(now() + MAX_TOKEN_RETRY_PAUSE_MS, fresh.usableUntil) : 0;
    failures = 0;
    renewal = undefined;
    held = fresh;
    return fresh;
  }

  function fail(error: unknown): never {
    // A credential that could not be built (a certificate file not yet mounted) is built anew next time.
    credential = undefined;
    const pause = failures === 0 ? 0 : MIN_TOKEN_RETRY_PAUSE_MS * 2 ** Math.min(failures - 1, 10);
    notBefore = now() + Math.min(pause, MAX_TOKEN_RETRY_PAUSE_MS);
    failures += 1;
    lastFailure = error;
    options.onFailure(error);
    throw error;
  }

  return {
    async acquire(deadline) {
      const time = now();
      if (held !== undefined && time < held.usableUntil) {
        if (time >= held.refreshFrom && time >= notBefore) refresh().catch(() => {}); // onFailure has been called.
        return held.value;
      }
      if (pending === undefined && time < notBefore) throw unavailable(lastFailure);
      try {
        const fresh = await abortable(refresh(), deadline.signal);
        return fresh.value;
      } catch (error) {
        // A wait that took the whole budget is the token's failure, not Graph's; a caller that went away is neither.
        const isCallerGone = error instanceof ServiceError && error.code === 'CallerDisconnected';
        throw isCallerGone ? error : unavailable(error);
      }
    },
    invalidate(token, claims) {
      if (held?.value !== token) return;
      held = undefined;
      pending = undefined;
      renewal = { claims };
    },
  };
}

function holdToken(token: AccessToken, now: number): HeldToken {
  const end = token.expiresOnTimestamp;
  const lifetime = end - now;
  return {
    value: token.token,
    usableUntil: end - Math.min(TOKEN_USABLE_MARGIN_MS, lifetime / 10),
    refreshFrom: token.refreshAfterTimestamp ?? end - Math.min(TOKEN_REFRESH_MARGIN_MS, lifetime / 2),
  };
}

function unavailable(cause: unknown): ServiceError {
  return new ServiceError('TokenUnavailable', 'The proxy could not get its own token for Graph.', { cause });
}

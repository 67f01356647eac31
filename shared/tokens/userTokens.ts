import { hash } from 'node:crypto';
import type { AccessToken } from '@azure/identity';
import type { LRUCache } from 'lru-cache';
import { abortable, type Deadline } from '../common/deadline.ts';
import { lazy } from '../common/lazy.ts';
import { MAX_USER_TOKENS, TOKEN_TIMEOUT_MS, TOKEN_USABLE_MARGIN_MS } from '../common/limits.ts';
import { ServiceError } from '../errors.ts';
import { type AssertionFacts, readAssertion } from './assertion.ts';
import type { UserCredential } from './userCredential.ts';
import { claimsChallenge, isConnectionFailure, unavailable, userTokenError } from './userTokenError.ts';

/** Tokens that act as the users who call: one fetch at a time for each, and none is given for another's assertion. */
export interface UserTokens {
  /** Loads what the first exchange needs. */
  prepare(): Promise<void>;
  /**
   * A usable token for Graph that acts as the user whose verified token `assertion` is.
   * @throws ServiceError ConsentRequired, InteractionRequired, InvalidAuthenticationToken, UserNotAllowed, TokenUnavailable
   * (also where the deadline passes first), CallerDisconnected
   */
  acquire(assertion: string, deadline: Deadline): Promise<string>;
  /**
   * Forgets a token that Graph refused.
   * @param claims the challenge that came with the refusal (continuous access evaluation), if any
   * @throws ServiceError InteractionRequired with that challenge: only the user can meet it
   */
  invalidate(assertion: string, token: string, claims?: string): void;
}

export interface UserTokensOptions {
  readonly createCredential: () => Promise<UserCredential>;
  readonly scope: string;
  /** Where users sign in; the caller gets it with a challenge. */
  readonly authorizationUri: string;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly maxUsers?: number;
  /** Timeout of one fetch, in milliseconds. */
  readonly timeoutMs?: number;
}

interface HeldToken {
  readonly value: string;
  readonly usableUntil: number;
}

/** Held in memory alone, by the assertion's hash; the least recently used go first. */
export function createUserTokens(options: UserTokensOptions): UserTokens {
  const { scope, authorizationUri, now = Date.now, maxUsers = MAX_USER_TOKENS, timeoutMs = TOKEN_TIMEOUT_MS } = options;
  const credential = lazy(options.createCredential);
  /** Absent before the first fetch. */
  let held: LRUCache<string, HeldToken> | undefined;
  const pending = new Map<string, Promise<HeldToken>>();

  async function cache(): Promise<LRUCache<string, HeldToken>> {
    const { LRUCache } = await import('./cacheLibrary.ts');
    held ??= new LRUCache({ max: maxUsers });
    return held;
  }

  async function fetchToken(assertion: string): Promise<HeldToken> {
    const facts = readAssertion(assertion);
    const signal = AbortSignal.timeout(timeoutMs);
    const request = { abortSignal: signal, enableCae: facts.takesChallenges };
    const ask = async () => (await credential()).getToken(assertion, scope, request);
    // A kept-alive connection may have been closed at the other end: a new one is worth one try.
    const asked = ask().catch((error) => (isConnectionFailure(error) ? ask() : Promise.reject(error)));
    try {
      const token = await abortable(asked, signal);
      if (token === null) throw new Error('The credential gave no token.');
      return holdToken(token, facts, now());
    } catch (error) {
      throw userTokenError(error, authorizationUri);
    }
  }

  async function fetchAndHold(key: string, assertion: string): Promise<HeldToken> {
    const [token, tokens] = await Promise.all([fetchToken(assertion), cache()]);
    tokens.set(key, token);
    return token;
  }

  function fetchOnce(key: string, assertion: string): Promise<HeldToken> {
    const underWay = pending.get(key);
    if (underWay !== undefined) return underWay;
    const fetched = fetchAndHold(key, assertion).finally(() => pending.delete(key));
    pending.set(key, fetched);
    return fetched;
  }

  return {
    async prepare() {
      await Promise.all([credential(), cache()]);
    },
    async acquire(assertion, deadline) {
      const key = keyOf(assertion);
      const known = held?.get(key);
      if (known !== undefined && now() < known.usableUntil) return known.value;
      try {
        return (await abortable(fetchOnce(key, assertion), deadline.signal)).value;
      } catch (error) {
        // A wait that took the whole budget is the token's failure, not Graph's.
        const isTimedOut = error instanceof ServiceError && error.code === 'TimedOut';
        throw isTimedOut ? unavailable(error) : error;
      }
    },
    invalidate(assertion, token, claims) {
      const key = keyOf(assertion);
      if (held?.peek(key)?.value === token) held.delete(key);
      if (claims !== undefined) throw claimsChallenge(claims, authorizationUri);
    },
  };
}

function keyOf(assertion: string): string {
  return hash('sha256', assertion, 'base64url');
}

/** A token outlives neither the request that carries it nor the assertion that it was given for. */
function holdToken(token: AccessToken, { endsAtMs }: AssertionFacts, now: number): HeldToken {
  const end = token.expiresOnTimestamp;
  const margin = Math.min(TOKEN_USABLE_MARGIN_MS, (end - now) / 10);
  return { value: token.token, usableUntil: Math.min(end - margin, endsAtMs) };
}

import { hash } from 'node:crypto';
import type { AccessToken } from '@azure/identity';
import { LRUCache } from 'lru-cache';
import { type Deadline, untilAborted } from '../deadline.ts';
import { ServiceError } from '../errors.ts';
import { MAX_USER_TOKENS, TOKEN_TIMEOUT_MS, TOKEN_USABLE_MARGIN_MS } from '../limits.ts';
import { type AssertionFacts, readAssertion } from './assertion.ts';
import type { UserCredential } from './userCredential.ts';
import { claimsChallenge, isConnectionFailure, unavailable, userTokenError } from './userTokenError.ts';

/** Tokens that act as the users who call: one fetch at a time for each, and none is given for another's assertion. */
export interface UserTokens {
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
  drop(assertion: string, token: string, claims?: string): void;
}

export interface UserTokensOptions {
  readonly createCredential: () => Promise<UserCredential>;
  readonly scope: string;
  /** Where users sign in; told to the caller with a challenge. */
  readonly authorizationUri: string;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly maxUsers?: number;
}

interface HeldToken {
  readonly value: string;
  readonly usableUntil: number;
}

/** Held in memory alone, by the assertion's hash; the least recently used go first. */
export function createUserTokens(options: UserTokensOptions): UserTokens {
  const { scope, authorizationUri, now = Date.now, maxUsers = MAX_USER_TOKENS } = options;
  const held = new LRUCache<string, HeldToken>({ max: maxUsers });
  const pending = new Map<string, Promise<HeldToken>>();
  let credential: Promise<UserCredential> | undefined;

  async function fetchToken(assertion: string): Promise<HeldToken> {
    const facts = readAssertion(assertion);
    const signal = AbortSignal.timeout(TOKEN_TIMEOUT_MS);
    const request = { abortSignal: signal, enableCae: facts.takesChallenges };
    const ask = async () => (await ready()).getToken(assertion, scope, request);
    // A kept-alive connection may have been closed at the other end: a new one is worth one try.
    const asked = ask().catch((error) => (isConnectionFailure(error) ? ask() : Promise.reject(error)));
    try {
      const token = await untilAborted(asked, signal);
      if (token === null) throw new Error('The credential gave no token.');
      return holdToken(token, facts, now());
    } catch (error) {
      throw userTokenError(error, authorizationUri);
    }
  }

  function ready(): Promise<UserCredential> {
    credential ??= options.createCredential().catch((error) => {
      credential = undefined; // It is built anew next time.
      throw error;
    });
    return credential;
  }

  function fetchOnce(key: string, assertion: string): Promise<HeldToken> {
    const underWay = pending.get(key);
    if (underWay !== undefined) return underWay;
    const fetched = fetchToken(assertion).finally(() => pending.delete(key));
    fetched.then((token) => held.set(key, token)).catch(() => {}); // Whoever waits for it is answered.
    pending.set(key, fetched);
    return fetched;
  }

  return {
    async acquire(assertion, deadline) {
      const key = keyOf(assertion);
      const known = held.get(key);
      if (known !== undefined && now() < known.usableUntil) return known.value;
      try {
        return (await untilAborted(fetchOnce(key, assertion), deadline.signal)).value;
      } catch (error) {
        // A wait that took the whole budget is the token's failure, not Graph's.
        const isTimedOut = error instanceof ServiceError && error.code === 'TimedOut';
        throw isTimedOut ? unavailable(error) : error;
      }
    },
    drop(assertion, token, claims) {
      const key = keyOf(assertion);
      if (held.peek(key)?.value === token) held.delete(key);
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

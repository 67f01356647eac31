import type { AccessToken, GetTokenOptions } from '@azure/identity';
import { createTokenSource, type TokenSource } from '../../../shared/tokens/tokenSource.ts';
import { openDeadline, settled } from '../../support/builders.ts';

export const HOUR_MS = 3_600_000;

export interface Fetch {
  readonly scope: string | string[];
  readonly options: GetTokenOptions | undefined;
  give(value: string, lifetimeMs?: number, refreshInMs?: number): Promise<void>;
  giveNothing(): Promise<void>;
  fail(error?: unknown): Promise<void>;
}

export interface TokenBench {
  readonly tokens: TokenSource;
  readonly fetches: Fetch[];
  readonly failures: unknown[];
  readonly clock: { now: number; built: number };
  /** Asks for a token and tells how that ended, or 'waiting'. */
  ask(): Promise<string>;
  last(): Fetch;
}

/** A token source with a credential that answers when the test says so, and a clock that the test moves. */
export function tokenBench(): TokenBench {
  const fetches: Fetch[] = [];
  const failures: unknown[] = [];
  const clock = { now: Date.parse('2026-11-23T10:00:00Z'), built: 0 };
  const getToken = (scope: string | string[], options?: GetTokenOptions) =>
    new Promise<AccessToken>((resolve, reject) => {
      fetches.push({
        scope,
        options,
        async give(value, lifetimeMs = HOUR_MS, refreshInMs) {
          resolve({
            token: value,
            expiresOnTimestamp: clock.now + lifetimeMs,
            ...(refreshInMs !== undefined && { refreshAfterTimestamp: clock.now + refreshInMs }),
          });
          await settled();
        },
        async giveNothing() {
          resolve(JSON.parse('null')); // Some credentials give null although their type no longer says so.
          await settled();
        },
        async fail(error = new Error('refused')) {
          reject(error);
          await settled();
        },
      });
    });
  const tokens = createTokenSource({
    createCredential: async () => {
      clock.built += 1;
      return { getToken };
    },
    scope: 'https://graph.example/.default',
    onFailure: (error) => failures.push(error),
    now: () => clock.now,
  });
  return {
    tokens,
    fetches,
    failures,
    clock,
    async ask() {
      let outcome = 'waiting';
      tokens.acquire(openDeadline()).then(
        (token) => {
          outcome = token;
        },
        (error) => {
          outcome = error.code;
        },
      );
      await settled();
      return outcome;
    },
    last() {
      const last = fetches.at(-1);
      if (last === undefined) throw new Error('No token was asked for.');
      return last;
    },
  };
}

/** A bench whose source holds the token 'first', good for an hour. */
export async function benchWithToken(lifetimeMs = HOUR_MS, refreshInMs?: number): Promise<TokenBench> {
  const made = tokenBench();
  await made.ask();
  await made.last().give('first', lifetimeMs, refreshInMs);
  return made;
}

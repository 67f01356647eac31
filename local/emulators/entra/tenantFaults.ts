import { setTimeout as sleep } from 'node:timers/promises';
import {
  DEMANDED_CONTEXT,
  isTokenErrorName,
  TOKEN_ERRORS,
  type TokenError,
  type TokenErrorName,
} from './tenantErrors.ts';

/** `down` closes the connection, `failing` answers 500, `garbage` 200 without JSON, `slow` late, `hanging` never. */
export type TenantError = 'none' | 'down' | 'failing' | 'slow' | 'hanging' | 'garbage';

export interface PlayOptions {
  /** The wait of `slow`, default 2000. */
  readonly ms?: number;
  /** Where a fault strikes; a refusal strikes the token endpoint alone. Default `everything`. */
  readonly on?: 'everything' | 'tokenEndpoint';
  /** How many requests; without it all, until `none` is played. */
  readonly times?: number;
}

/** Holds what is being played. */
export interface TenantErrors {
  play(name: TenantError | TokenErrorName, options?: PlayOptions): void;
  /** The fault that strikes this request; waits first where it is `slow`. */
  strike(isTokenRequest: boolean): Promise<TenantError>;
  /**
   * The refusal of a request that would be granted. One with a claims challenge passes by a user who has met it.
   * @param contexts authentication contexts of the user; none for an app
   */
  refusal(contexts: readonly unknown[]): TokenErrorName | undefined;
}

interface Playing {
  readonly name: TenantError | TokenErrorName;
  readonly ms: number;
  readonly on: 'everything' | 'tokenEndpoint';
  left: number;
}

export function createTenantErrors(): TenantErrors {
  let playing: Playing | undefined;
  return {
    play(name, { ms = 2000, on = 'everything', times = Number.POSITIVE_INFINITY } = {}) {
      playing = { name, ms, on, left: times };
    },
    async strike(isTokenRequest) {
      if (playing === undefined || playing.left <= 0 || isTokenErrorName(playing.name)) return 'none';
      const { name, ms, on } = playing;
      if (on === 'tokenEndpoint' && !isTokenRequest) return 'none';
      playing.left -= 1;
      if (name === 'slow') await sleep(ms);
      return name;
    },
    refusal(contexts) {
      if (playing === undefined || playing.left <= 0 || !isTokenErrorName(playing.name)) return undefined;
      const { claims }: TokenError = TOKEN_ERRORS[playing.name];
      if (claims !== undefined && contexts.includes(DEMANDED_CONTEXT)) return undefined;
      playing.left -= 1;
      return playing.name;
    },
  };
}

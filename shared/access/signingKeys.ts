import type { FetchImplementation, JWTVerifyGetKey } from 'jose';
import { pause } from '../common/deadline.ts';
import { JWKS_COOLDOWN_MS, JWKS_RENEW_AFTER_MS, JWKS_TIMEOUT_MS } from '../common/limits.ts';
import { ServiceError } from '../errors.ts';

/**
 * The tenant's signing keys as a lookup for jwtVerify. Known keys answer at once and are renewed in the background, so
 * that they serve on while the key server is away. A token with an unknown `kid` waits for the next fetch, shared by all
 * who wait and never closer to the last one than the cool-down: a key published a moment ago is found, and a flood of
 * made-up kids costs a bounded number of fetches.
 *
 * @param fetchKeys Node's fetch unless a test says otherwise
 * @throws (the lookup) ServiceError SigningKeysUnavailable where a needed fetch failed; jose's JWKSNoMatchingKey
 */
export async function createSigningKeys(
  jwksUrl: string,
  fetchKeys: FetchImplementation = fetch,
): Promise<JWTVerifyGetKey> {
  const { createRemoteJWKSet, customFetch, errors } = await import('./tokenLibrary.ts');
  const keys = createRemoteJWKSet(new URL(jwksUrl), {
    cacheMaxAge: Number.POSITIVE_INFINITY, // When to fetch is decided here, not by jose.
    cooldownDuration: Number.POSITIVE_INFINITY,
    timeoutDuration: JWKS_TIMEOUT_MS,
    [customFetch]: fetchKeys,
  });
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let renewal: Promise<void> | undefined;

  function renew(): Promise<void> {
    renewal ??= fetchOncePerCooldown().finally(() => {
      renewal = undefined;
    });
    return renewal;
  }

  async function fetchOncePerCooldown(): Promise<void> {
    const waitMs = fetchedAt + JWKS_COOLDOWN_MS - performance.now();
    if (waitMs > 0) await pause(waitMs);
    fetchedAt = performance.now();
    await keys.reload().catch((cause) => {
      throw new ServiceError('SigningKeysUnavailable', 'Tokens cannot be verified at the moment.', { cause });
    });
  }

  return async (header, token) => {
    if (keys.jwks() === undefined) await renew();
    else if (performance.now() - fetchedAt > JWKS_RENEW_AFTER_MS) renew().catch(() => {}); // Known keys serve on.
    // The second look is at a fetch that another token may have begun before this one's key was published.
    for (let looks = 0; looks < 2; looks += 1) {
      try {
        return await keys(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      }
      await renew();
    }
    return keys(header, token);
  };
}

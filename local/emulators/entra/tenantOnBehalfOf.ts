import { createLocalJWKSet, errors, type JWK, jwtVerify } from 'jose';
import type { TenantClient } from './tenantClient.ts';
import type { TokenErrorName } from './tenantErrors.ts';

/** What makes a user's token this tenant's own. */
export interface AssertionKeys {
  readonly published: readonly JWK[];
  readonly issuers: readonly string[];
}

export type AssertionCheck =
  | {
      readonly kind: 'accepted';
      /** Object id. */
      readonly user: string;
      /** Authentication contexts that the user has satisfied (`acrs`). */
      readonly contexts: readonly unknown[];
    }
  | { readonly kind: 'refused'; readonly refusal: TokenErrorName };

/** Checks the user's token that an app presents: signed by this tenant, meant for that app, in its time, and a user's. */
export async function checkAssertion(
  assertion: string,
  client: TenantClient,
  { published, issuers }: AssertionKeys,
  now: Date,
): Promise<AssertionCheck> {
  try {
    const { payload } = await jwtVerify(assertion, createLocalJWKSet({ keys: [...published] }), {
      algorithms: ['RS256'],
      issuer: [...issuers],
      audience: [client.clientId, `api://${client.clientId}`, ...(client.identifierUris ?? [])],
      currentDate: now,
    });
    const user = payload['oid'];
    if (typeof payload['scp'] !== 'string' || typeof user !== 'string')
      return { kind: 'refused', refusal: 'appAssertion' };
    const contexts = payload['acrs'];
    return { kind: 'accepted', user, contexts: Array.isArray(contexts) ? contexts : [] };
  } catch (error) {
    return { kind: 'refused', refusal: refusalFor(error) };
  }
}

function refusalFor(error: unknown): TokenErrorName {
  if (error instanceof errors.JWTExpired) return 'expiredAssertion';
  if (!(error instanceof errors.JWTClaimValidationFailed)) return 'invalidAssertion';
  if (error.claim === 'aud') return 'wrongAudience';
  return error.claim === 'nbf' ? 'expiredAssertion' : 'invalidAssertion';
}

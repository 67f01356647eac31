import type { Dependencies } from '../dependencies.ts';
import { ServiceError } from '../errors.ts';
import type { TokenSource } from '../tokens/tokenSource.ts';
import type { AuthenticatedCaller } from './caller.ts';
import type { ActsAs } from './policy.ts';

/**
 * Whose tokens Graph sees in this request. One that acts as a user gets those of that user or none: the app's own would
 * reach what the user may not.
 *
 * @throws ServiceError ServiceMisconfigured where nobody can be acted for; loadPolicy refuses such a policy before
 */
export function tokensFor(
  actsAs: ActsAs,
  caller: AuthenticatedCaller,
  { appTokens, userTokens }: Pick<Dependencies, 'appTokens' | 'userTokens'>,
): TokenSource {
  if (actsAs === 'app') return appTokens;
  if (caller.kind !== 'delegated' || userTokens === undefined) {
    throw new ServiceError('ServiceMisconfigured', 'The service cannot act for a user.');
  }
  const { assertion } = caller;
  return {
    acquire: (deadline) => userTokens.acquire(assertion, deadline),
    invalidate: (token, claims) => userTokens.invalidate(assertion, token, claims),
  };
}

import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/identity';
import { startDeadline } from '../common/deadline.ts';
import { TOKEN_TIMEOUT_MS } from '../common/limits.ts';
import type { OnBehalfOfConfig } from '../config/onBehalfOf.ts';
import { createCredential } from './credential.ts';
import { createTokenSource } from './tokenSource.ts';

/** Exchanges a user's token for one that acts as that user. */
export interface UserCredential {
  /** @param assertion the user's token, already verified; not kept beyond the call */
  getToken(assertion: string, scope: string, options: GetTokenOptions): Promise<AccessToken | null>;
}

/**
 * The on-behalf-of flow (learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow) with the proof that the
 * settings name. Loads @azure/identity, which takes long to load.
 *
 * @param onFailure called with each failed fetch of the managed identity's token, for the log
 */
export async function createUserCredential(
  config: OnBehalfOfConfig,
  onFailure: (error: unknown) => void,
): Promise<UserCredential> {
  const forUser = credentialFor(config, await import('./identityLibrary.ts'), onFailure);
  return { getToken: (assertion, scope, options) => forUser(assertion).getToken(scope, options) };
}

/** The library takes the user's token when a credential is built: one for each fetch, so that MSAL's cache ends with it. */
function credentialFor(
  { tenantId, clientId, authorityHost, credential }: OnBehalfOfConfig,
  { OnBehalfOfCredential }: typeof import('./identityLibrary.ts'),
  onFailure: (error: unknown) => void,
): (userAssertionToken: string) => TokenCredential {
  const common = {
    tenantId,
    clientId,
    authorityHost,
    disableInstanceDiscovery: true, // The authority is the operator's own; there is nobody to ask about it.
    retryOptions: { maxRetries: 0 }, // The library would wait as long as a Retry-After says, with the user's token in hand.
  };
  switch (credential.kind) {
    case 'clientSecret': {
      const { clientSecret } = credential;
      return (userAssertionToken) => new OnBehalfOfCredential({ ...common, clientSecret, userAssertionToken });
    }
    case 'clientCertificate': {
      const { certificatePath } = credential;
      return (userAssertionToken) => new OnBehalfOfCredential({ ...common, certificatePath, userAssertionToken });
    }
    case 'managedIdentity': {
      const identityTokens = createTokenSource({
        createCredential: () => createCredential({ kind: 'managedIdentity', clientId: credential.clientId }),
        scope: credential.exchangeScope,
        onFailure,
      });
      const getAssertion = async () => {
        const deadline = startDeadline(TOKEN_TIMEOUT_MS);
        return identityTokens.acquire(deadline).finally(deadline.end);
      };
      return (userAssertionToken) => new OnBehalfOfCredential({ ...common, getAssertion, userAssertionToken });
    }
  }
}

import type { AccessToken, GetTokenOptions } from '@azure/identity';
import type { CredentialConfig } from '../config/config.ts';
import { createIdentityCredential } from './identityCredential.ts';

/** A credential of @azure/identity that can also renew a token that Graph has refused. */
export interface GraphCredential {
  /** @param isRenewal no cache may answer: the token in it was refused */
  getToken(scope: string, options: GetTokenOptions, isRenewal: boolean): Promise<AccessToken | null>;
}

/** The credential that the settings name. Loads @azure/identity, which takes long to load. */
export async function createCredential(config: CredentialConfig): Promise<GraphCredential> {
  let credential = await createIdentityCredential(config);
  const renew = async (scope: string, claims: string | undefined) => {
    if (config.kind !== 'managedIdentity') {
      credential = await createIdentityCredential(config); // Each instance has a cache of its own.
      return;
    }
    // ManagedIdentityCredential reads a cache of the whole process and has no way past it. The MSAL application beneath
    // it has one, and writes to the same cache.
    const { clientId } = config;
    const { ManagedIdentityApplication } = await import('./managedIdentityLibrary.ts');
    const application = new ManagedIdentityApplication(
      clientId === undefined ? {} : { managedIdentityIdParams: { userAssignedClientId: clientId } },
    );
    const resource = scope.replace(/\/\.default$/, '');
    await application.acquireToken({ resource, forceRefresh: true, ...(claims !== undefined && { claims }) });
  };
  return {
    async getToken(scope, options, isRenewal) {
      if (isRenewal) await renew(scope, options.claims);
      return credential.getToken(scope, options);
    },
  };
}

import type { TokenCredential } from '@azure/identity';
import type { CredentialConfig } from '../config/config.ts';

const DEFAULT_AUTHORITY_HOST = 'https://login.microsoftonline.com';

/**
 * The one credential class of @azure/identity that the settings name; there is no chain but the developer's own sign-ins. Loads
 * the library.
 */
export async function createIdentityCredential(config: CredentialConfig): Promise<TokenCredential> {
  if (config.kind === 'managedIdentity') {
    const { ManagedIdentityCredential } = await import('./managedIdentityLibrary.ts');
    return new ManagedIdentityCredential({
      // Not asked by a managed identity; named here, so that the library does not read the environment's, which may be
      // on plain http where the callers' tenant is emulated.
      authorityHost: DEFAULT_AUTHORITY_HOST,
      ...(config.clientId !== undefined && { clientId: config.clientId }),
    });
  }
  const identity = await import('./identityLibrary.ts');
  switch (config.kind) {
    case 'developer':
      return new identity.ChainedTokenCredential(
        new identity.AzureCliCredential(),
        new identity.AzurePowerShellCredential(),
        new identity.AzureDeveloperCliCredential(),
      );
    case 'clientSecret': {
      const { tenantId, clientId, clientSecret, authorityHost } = config;
      return new identity.ClientSecretCredential(tenantId, clientId, clientSecret, { authorityHost });
    }
    case 'clientCertificate': {
      const { tenantId, clientId, certificatePath, certificatePassword, authorityHost } = config;
      const certificate = { certificatePath, ...(certificatePassword && { certificatePassword }) };
      return new identity.ClientCertificateCredential(tenantId, clientId, certificate, { authorityHost });
    }
    case 'workloadIdentity': {
      const { tenantId, clientId, tokenFilePath, authorityHost } = config;
      return new identity.WorkloadIdentityCredential({ tenantId, clientId, tokenFilePath, authorityHost });
    }
  }
}

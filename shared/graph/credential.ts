import type { TokenCredential } from '@azure/identity';
import type { CredentialConfig } from '../config/config.ts';

/** Builds the one credential that the settings name. Loads @azure/identity, which is dear to load. */
export async function createCredential(config: CredentialConfig): Promise<TokenCredential> {
  const identity = await import('./identityLibrary.ts');
  switch (config.kind) {
    case 'managedIdentity':
      return new identity.ManagedIdentityCredential(config.clientId === undefined ? {} : { clientId: config.clientId });
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

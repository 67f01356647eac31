import type { CredentialConfig } from '../../../shared/config/config.ts';
import { createIdentityCredential } from '../../../shared/tokens/identityCredential.ts';
import { APP_ID, TENANT_ID } from '../../support/builders.ts';

const REGISTRATION = { tenantId: TENANT_ID, clientId: APP_ID, authorityHost: 'https://login.microsoftonline.us' };

describe('createIdentityCredential', () => {
  it.each<[CredentialConfig, string]>([
    [{ kind: 'managedIdentity', clientId: undefined }, 'ManagedIdentityCredential'],
    [{ kind: 'managedIdentity', clientId: APP_ID }, 'ManagedIdentityCredential'],
    [{ kind: 'developer' }, 'ChainedTokenCredential'],
    [{ kind: 'clientSecret', ...REGISTRATION, clientSecret: 's' }, 'ClientSecretCredential'],
    [
      { kind: 'clientCertificate', ...REGISTRATION, certificatePath: 'app.pem', certificatePassword: undefined },
      'ClientCertificateCredential',
    ],
    [{ kind: 'workloadIdentity', ...REGISTRATION, tokenFilePath: 'token' }, 'WorkloadIdentityCredential'],
  ])('builds for %j a %s and nothing else', async (config, name) => {
    const credential = await createIdentityCredential(config);

    expect(credential.constructor.name).toBe(name);
  });
});

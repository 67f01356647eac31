import { parseConfig } from '../../../shared/config/config.ts';
import type { ConfigError, Environment } from '../../../shared/config/readSettings.ts';
import { APP_ID, configOf, TENANT_ID } from '../../support/builders.ts';

const API_ID = '6a7f0f2e-94d5-4a4e-8a53-0a2a5c2c3f10';
const ENTRA = { CALLER_AUTH: 'entra', ENTRA_TENANT_ID: TENANT_ID, API_AUDIENCE: `api://${API_ID}` };
const OBO = { ...ENTRA, OBO_CLIENT_ID: API_ID };

function faultsOf(environment: Environment): readonly ConfigError[] {
  const result = parseConfig(environment);
  return result.kind === 'faulty' ? result.faults : [];
}

describe('the settings on behalf of users', () => {
  it('are nothing where no registration is named', () => {
    expect(configOf(ENTRA).onBehalfOf).toBeUndefined();
    expect(configOf({ ...ENTRA, OBO_CLIENT_ID: ' ', OBO_CREDENTIAL: '' }).onBehalfOf).toBeUndefined();
  });

  it("take the callers' tenant and the system-assigned identity where nothing else is said", () => {
    expect(configOf({ ...OBO, OBO_CLIENT_ID: API_ID.toUpperCase() }).onBehalfOf).toEqual({
      tenantId: TENANT_ID,
      clientId: API_ID,
      authorityHost: 'https://login.microsoftonline.com',
      credential: {
        kind: 'managedIdentity',
        clientId: undefined,
        exchangeScope: 'api://AzureADTokenExchange/.default',
      },
    });
  });

  it('take the tenant that is named', () => {
    expect(configOf({ ...OBO, OBO_TENANT_ID: APP_ID }).onBehalfOf?.tenantId).toBe(APP_ID);
  });

  it.each([
    [{ AZURE_CLIENT_ID: APP_ID }, APP_ID],
    [{ AZURE_CLIENT_ID: APP_ID, OBO_MANAGED_IDENTITY_CLIENT_ID: TENANT_ID }, TENANT_ID],
    [
      {
        GRAPH_CREDENTIAL: 'clientSecret',
        AZURE_TENANT_ID: TENANT_ID,
        AZURE_CLIENT_ID: APP_ID,
        AZURE_CLIENT_SECRET: 's',
      },
      undefined,
    ],
  ])('pick the managed identity of %j', (environment, clientId) => {
    expect(configOf({ ...OBO, ...environment }).onBehalfOf?.credential).toMatchObject({ clientId });
  });

  it.each([
    ['https://login.microsoftonline.us', 'api://AzureADTokenExchangeUSGov/.default'],
    ['https://login.chinacloudapi.cn', 'api://AzureADTokenExchangeChina/.default'],
    ['https://login.partner.microsoftonline.cn', 'api://AzureADTokenExchangeChina/.default'],
    ['https://localhost:8443', 'api://AzureADTokenExchange/.default'],
  ])("ask at %s for the identity's token with the scope %s", (authorityHost, exchangeScope) => {
    const { onBehalfOf } = configOf({ ...OBO, AZURE_AUTHORITY_HOST: authorityHost });

    expect(onBehalfOf).toMatchObject({ authorityHost, credential: { exchangeScope } });
  });

  it.each([
    [
      { OBO_CREDENTIAL: 'clientSecret', OBO_CLIENT_SECRET: 's' },
      { kind: 'clientSecret', clientSecret: 's' },
    ],
    [
      { OBO_CREDENTIAL: 'clientCertificate', OBO_CERTIFICATE_PATH: 'app.pem' },
      { kind: 'clientCertificate', certificatePath: 'app.pem' },
    ],
  ])('read the credential of %j', (environment, credential) => {
    expect(configOf({ ...OBO, ...environment }).onBehalfOf?.credential).toEqual(credential);
  });

  it.each([
    ['clientSecret', 'OBO_CLIENT_SECRET'],
    ['clientCertificate', 'OBO_CERTIFICATE_PATH'],
  ])('demand with %s %s', (kind, setting) => {
    expect(faultsOf({ ...OBO, OBO_CREDENTIAL: kind })).toEqual([
      { setting, fault: `must be set with OBO_CREDENTIAL=${kind}` },
    ]);
  });

  it.each([
    { OBO_TENANT_ID: TENANT_ID },
    { OBO_CREDENTIAL: 'managedIdentity' },
    { OBO_MANAGED_IDENTITY_CLIENT_ID: APP_ID },
    { OBO_CLIENT_SECRET: 's' },
    { OBO_CERTIFICATE_PATH: 'app.pem' },
  ])('demand the registration with %j', (environment) => {
    const [setting] = Object.keys(environment);

    expect(faultsOf({ ...ENTRA, ...environment })).toEqual([
      { setting: 'OBO_CLIENT_ID', fault: `must be set with ${setting}` },
    ]);
  });

  it('are refused together with function keys, which name no user', () => {
    expect(faultsOf({ OBO_CLIENT_ID: API_ID })).toEqual([
      { setting: 'OBO_CLIENT_ID', fault: expect.stringMatching(/CALLER_AUTH=entra/) },
    ]);
  });

  it('come with all their faults at once', () => {
    const faults = faultsOf({
      OBO_CLIENT_ID: 'x',
      OBO_TENANT_ID: 'y',
      OBO_CREDENTIAL: 'secret',
      OBO_MANAGED_IDENTITY_CLIENT_ID: 'z',
    });

    expect(faults).toEqual([
      { setting: 'OBO_CLIENT_ID', fault: 'must be a GUID' },
      { setting: 'OBO_TENANT_ID', fault: 'must be a GUID' },
      { setting: 'OBO_CREDENTIAL', fault: 'must be one of managedIdentity, clientSecret, clientCertificate' },
      { setting: 'OBO_MANAGED_IDENTITY_CLIENT_ID', fault: 'must be a GUID' },
    ]);
  });
});

import { parseConfig } from '../../../shared/config/config.ts';
import type { ConfigError, Environment } from '../../../shared/config/readSettings.ts';
import { APP_ID, configOf } from '../../support/builders.ts';

const KEY = Buffer.from('no key of an account').toString('base64');
const ACCOUNT = `DefaultEndpointsProtocol=https;AccountName=contoso;AccountKey=${KEY};EndpointSuffix=core.windows.net`;
const URI = 'https://contoso.blob.core.windows.net';

function faultsOf(environment: Environment): readonly ConfigError[] {
  const result = parseConfig(environment);
  return result.kind === 'faulty' ? result.faults : [];
}

describe('storageConfig', () => {
  it.each(['UseDevelopmentStorage=true', 'UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://a', ACCOUNT])(
    'takes the connection string %s as it is',
    (connectionString) => {
      expect(configOf({ AzureWebJobsStorage: connectionString }).storage).toEqual({
        kind: 'connectionString',
        connectionString,
      });
    },
  );

  it('gives the development account the spelling that the client knows', () => {
    const { storage } = configOf({
      AzureWebJobsStorage: 'useDevelopmentStorage=True;DevelopmentStorageProxyUri=http://a',
    });

    expect(storage).toEqual({
      kind: 'connectionString',
      connectionString: 'UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://a',
    });
  });

  it.each([
    [`AccountName=contoso;AccountKey=${KEY}`, ['DefaultEndpointsProtocol=https', 'EndpointSuffix=core.windows.net']],
    [`accountname=contoso; ACCOUNTKEY=${KEY};`, ['AccountName=contoso', `AccountKey=${KEY}`]],
    [
      'AccountName=contoso;SharedAccessSignature=sv=1&sig=a%3D',
      [
        'SharedAccessSignature=sv=1&sig=a%3D',
        `BlobEndpoint=${URI}`,
        'QueueEndpoint=https://contoso.queue.core.windows.net',
      ],
    ],
    [
      `EndpointSuffix=core.usgovcloudapi.net;${ACCOUNT.replace(/;EndpointSuffix.*/, '')}`,
      ['EndpointSuffix=core.usgovcloudapi.net'],
    ],
  ])('completes %s as the host reads it', (given, parts) => {
    const { storage } = configOf({ AzureWebJobsStorage: given });

    expect(storage.kind === 'connectionString' && storage.connectionString.split(';')).toEqual(
      expect.arrayContaining(parts),
    );
  });

  it.each([
    '@Microsoft.KeyVault(SecretUri=https://contoso.vault.azure.net/secrets/s)',
    'contoso',
    'AccountName=contoso',
    'AccountName=contoso;AccountKey=',
    'SharedAccessSignature=sv=1',
  ])('refuses %s without repeating it', (text) => {
    expect(faultsOf({ AzureWebJobsStorage: text })).toEqual([
      { setting: 'AzureWebJobsStorage', fault: 'must be the connection string of a storage account' },
    ]);
  });

  it.each([
    [
      { AzureWebJobsStorage__accountName: 'contoso' },
      {
        blobServiceUri: URI,
        queueServiceUri: 'https://contoso.queue.core.windows.net',
        credential: { kind: 'managedIdentity', clientId: undefined },
      },
    ],
    [
      {
        AzureWebJobsStorage__blobServiceUri: `${URI}/`,
        AzureWebJobsStorage__clientId: APP_ID,
        AzureWebJobsStorage__credential: 'managedIdentity',
      },
      {
        blobServiceUri: URI,
        queueServiceUri: undefined,
        credential: { kind: 'managedIdentity', clientId: APP_ID },
      },
    ],
    [
      {
        AzureWebJobsStorage__accountName: 'other',
        AzureWebJobsStorage__blobServiceUri: 'https://contoso.blob.core.usgovcloudapi.net',
        AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
      },
      {
        blobServiceUri: 'https://contoso.blob.core.usgovcloudapi.net',
        queueServiceUri: 'https://other.queue.core.windows.net',
        credential: { kind: 'developer' },
      },
    ],
    [
      { AzureWebJobsStorage__accountName: 'ConToso', AzureWebJobsStorage__credential: 'ManagedIdentity' },
      {
        blobServiceUri: URI,
        queueServiceUri: 'https://contoso.queue.core.windows.net',
        credential: { kind: 'managedIdentity', clientId: undefined },
      },
    ],
    [
      {
        AZUREWEBJOBSSTORAGE__ACCOUNTNAME: 'contoso',
        AzureWebJobsStorage__clientID: APP_ID.toUpperCase(),
        AzureWebJobsStorage__Credential: 'MANAGEDIDENTITY',
      },
      {
        blobServiceUri: URI,
        queueServiceUri: 'https://contoso.queue.core.windows.net',
        credential: { kind: 'managedIdentity', clientId: APP_ID },
      },
    ],
    [
      {
        AzureWebJobsStorage__blobServiceUri: 'HTTPS://Contoso.Blob.Core.Windows.NET/',
        AzureWebJobsStorage__queueServiceUri: 'Https://contoso.queue.core.windows.net//',
      },
      {
        blobServiceUri: URI,
        queueServiceUri: 'https://contoso.queue.core.windows.net',
        credential: { kind: 'managedIdentity', clientId: undefined },
      },
    ],
  ])('reaches the account of %j with an identity', (environment, storage) => {
    expect(configOf(environment).storage).toEqual({ kind: 'identity', ...storage });
  });

  it('takes the connection string where both are set, as the host does', () => {
    const both = { AzureWebJobsStorage: ACCOUNT, AzureWebJobsStorage__accountName: 'other' };

    expect(configOf(both).storage).toEqual({ kind: 'connectionString', connectionString: ACCOUNT });
  });

  it.each([
    [
      { AzureWebJobsStorage__clientId: APP_ID },
      ['AzureWebJobsStorage__blobServiceUri', 'must be set with AzureWebJobsStorage__clientId'],
    ],
    [
      { AzureWebJobsStorage__queueServiceUri: 'https://contoso.queue.core.windows.net' },
      ['AzureWebJobsStorage__blobServiceUri', 'must be set with AzureWebJobsStorage__queueServiceUri'],
    ],
    [
      { AzureWebJobsStorage__accountName: 'attacker.example/' },
      ['AzureWebJobsStorage__accountName', 'must be the name of a storage account'],
    ],
    [
      { AzureWebJobsStorage__blobServiceUri: 'http://contoso.blob.core.windows.net' },
      ['AzureWebJobsStorage__blobServiceUri', 'must be https'],
    ],
    [
      { AzureWebJobsStorage__accountName: 'contoso', AzureWebJobsStorage__credential: 'workloadidentity' },
      ['AzureWebJobsStorage__credential', 'must be managedidentity'],
    ],
  ])('refuses %j', (environment, [setting, fault]) => {
    expect(faultsOf(environment)).toEqual([{ setting, fault }]);
  });
});

import type { ConfigError, SettingValues } from './readSettings.ts';

/** The storage account that the host uses as well, for what must outlive a request. */
export type StorageConfig =
  | { readonly kind: 'none' }
  | { readonly kind: 'connectionString'; readonly connectionString: string }
  | {
      readonly kind: 'identity';
      /** Without a slash at the end, as is the next. */
      readonly blobServiceUri: string;
      readonly queueServiceUri: string | undefined;
      readonly credential: StorageCredentialConfig;
    };

export type StorageCredentialConfig =
  | { readonly kind: 'managedIdentity'; readonly clientId: string | undefined }
  | { readonly kind: 'developer' };

const ACCOUNT_NAME = /^[a-z0-9]{3,24}$/; // learn.microsoft.com/azure/storage/common/storage-account-overview

/** The account that the host would take: a connection string before an identity, addresses before an account's name. */
export function storageConfig(values: SettingValues, faults: ConfigError[]): StorageConfig {
  if (values.AzureWebJobsStorage !== undefined) {
    const connectionString = completeConnectionString(values.AzureWebJobsStorage);
    if (connectionString === undefined) {
      faults.push({ setting: 'AzureWebJobsStorage', fault: 'must be the connection string of a storage account' });
    }
    return { kind: 'connectionString', connectionString: connectionString ?? '' };
  }
  const blobServiceUri = serviceUri(values, 'blob', faults);
  if (blobServiceUri === undefined) {
    reportLonely(values, faults);
    return { kind: 'none' };
  }
  const queueServiceUri = serviceUri(values, 'queue', faults);
  return { kind: 'identity', blobServiceUri, queueServiceUri, credential: credential(values, faults) };
}

function serviceUri(values: SettingValues, service: 'blob' | 'queue', faults: ConfigError[]): string | undefined {
  const setting = `AzureWebJobsStorage__${service}ServiceUri` as const;
  const uri = values[setting];
  if (uri !== undefined) {
    if (!uri.startsWith('https:')) faults.push({ setting, fault: 'must be https' });
    return uri;
  }
  // The host connects by this name in a URL, where letter case does not count.
  const account = values.AzureWebJobsStorage__accountName?.toLowerCase();
  if (account === undefined) return undefined;
  if (!ACCOUNT_NAME.test(account) && service === 'blob') {
    faults.push({ setting: 'AzureWebJobsStorage__accountName', fault: 'must be the name of a storage account' });
  }
  return `https://${account}.${service}.core.windows.net`;
}

/** Settings that say how to reach an account which no setting names. */
function reportLonely(values: SettingValues, faults: ConfigError[]): void {
  const names = [
    'AzureWebJobsStorage__queueServiceUri',
    'AzureWebJobsStorage__clientId',
    'AzureWebJobsStorage__credential',
  ] as const;
  const lonely = names.find((name) => values[name] !== undefined);
  if (lonely === undefined) return;
  faults.push({ setting: 'AzureWebJobsStorage__blobServiceUri', fault: `must be set with ${lonely}` });
}

/** The host's own rule: without `credential` the developer's sign-in on a developer's machine, the identity elsewhere. */
function credential(values: SettingValues, faults: ConfigError[]): StorageCredentialConfig {
  const name = values.AzureWebJobsStorage__credential;
  if (name !== undefined && name.toLowerCase() !== 'managedidentity') {
    faults.push({ setting: 'AzureWebJobsStorage__credential', fault: 'must be managedidentity' });
  }
  if (name === undefined && values.AZURE_FUNCTIONS_ENVIRONMENT === 'Development') return { kind: 'developer' };
  return { kind: 'managedIdentity', clientId: values.AzureWebJobsStorage__clientId };
}

const PARTS = [
  ...['DefaultEndpointsProtocol', 'AccountName', 'AccountKey', 'SharedAccessSignature', 'EndpointSuffix'],
  ...['BlobEndpoint', 'QueueEndpoint', 'TableEndpoint', 'FileEndpoint'],
];

/**
 * The connection string as Azure's JavaScript clients demand it. The host's own reader knows names in any letter case, and
 * defaults for protocol and suffix that those clients do not have. Undefined where neither could use it.
 */
function completeConnectionString(text: string): string | undefined {
  // The host's reader takes this name and value in any letter case, the JavaScript clients in one spelling only.
  const development = 'UseDevelopmentStorage=true';
  const rest = text.slice(development.length);
  const isDevelopment = text.toLowerCase().startsWith(development.toLowerCase());
  if (isDevelopment && (rest === '' || rest.startsWith(';'))) return `${development}${rest}`;
  const parts = new Map<string, string>();
  for (const part of text.split(';').filter((part) => part.trim() !== '')) {
    const [name = '', ...value] = part.split('='); // A key in base64 ends in `=`.
    const known = PARTS.find((candidate) => candidate.toLowerCase() === name.trim().toLowerCase());
    parts.set(known ?? name.trim(), value.join('=').trim());
  }
  const account = parts.get('AccountName');
  if (!parts.has('DefaultEndpointsProtocol')) parts.set('DefaultEndpointsProtocol', 'https');
  if (!parts.has('EndpointSuffix')) parts.set('EndpointSuffix', 'core.windows.net');
  const suffix = parts.get('EndpointSuffix');
  if (parts.has('SharedAccessSignature')) {
    for (const service of ['Blob', 'Queue']) {
      const isKnown = parts.has(`${service}Endpoint`) || account === undefined;
      if (!isKnown) parts.set(`${service}Endpoint`, `https://${account}.${service.toLowerCase()}.${suffix}`);
    }
    return parts.has('BlobEndpoint') ? join(parts) : undefined;
  }
  return account !== undefined && parts.get('AccountKey') ? join(parts) : undefined;
}

function join(parts: ReadonlyMap<string, string>): string {
  return [...parts].map(([name, value]) => `${name}=${value}`).join(';');
}

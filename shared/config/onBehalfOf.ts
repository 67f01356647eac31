import type { ConfigError, Environment, SettingValues } from './readSettings.ts';
import { required } from './required.ts';
import type { SettingName } from './settings.ts';

/** The app registration that acts for users, and how it proves itself. */
export interface OnBehalfOfConfig {
  readonly tenantId: string;
  readonly clientId: string;
  readonly authorityHost: string;
  readonly credential: OnBehalfOfCredentialConfig;
}

export type OnBehalfOfCredentialConfig =
  | {
      readonly kind: 'managedIdentity';
      /** The user-assigned identity; undefined: the system-assigned one. */
      readonly clientId: string | undefined;
      /** The scope of the identity's token that stands in for a secret. */
      readonly exchangeScope: string;
    }
  | { readonly kind: 'clientSecret'; readonly clientSecret: string }
  | { readonly kind: 'clientCertificate'; readonly certificatePath: string };

const DEPENDENTS = [
  'OBO_TENANT_ID',
  'OBO_CREDENTIAL',
  'OBO_MANAGED_IDENTITY_CLIENT_ID',
  'OBO_CLIENT_SECRET',
  'OBO_CERTIFICATE_PATH',
] as const satisfies readonly SettingName[];

/** Undefined without OBO_CLIENT_ID; the other settings are a fault then: whoever sets one means to act for users. */
export function onBehalfOf(
  values: SettingValues,
  environment: Environment,
  faults: ConfigError[],
): OnBehalfOfConfig | undefined {
  const clientId = values.OBO_CLIENT_ID;
  if (clientId === undefined) {
    const dependent = DEPENDENTS.find((name) => (environment[name] ?? '').trim() !== '');
    if (dependent !== undefined) required(values, 'OBO_CLIENT_ID', dependent, faults);
    return undefined;
  }
  if (values.CALLER_AUTH !== 'entra') {
    faults.push({
      setting: 'OBO_CLIENT_ID',
      fault: "is for CALLER_AUTH=entra only: it takes a user's token to act for a user",
    });
  }
  return {
    clientId,
    // CALLER_AUTH=entra demands ENTRA_TENANT_ID; without it the faults tell.
    tenantId: values.OBO_TENANT_ID ?? values.ENTRA_TENANT_ID ?? '',
    authorityHost: values.AZURE_AUTHORITY_HOST,
    credential: credential(values, faults),
  };
}

function credential(values: SettingValues, faults: ConfigError[]): OnBehalfOfCredentialConfig {
  const kind = values.OBO_CREDENTIAL;
  const because = `OBO_CREDENTIAL=${kind}`;
  switch (kind) {
    case 'managedIdentity': {
      // Beside another credential AZURE_CLIENT_ID is an app registration.
      const identity = values.GRAPH_CREDENTIAL === 'managedIdentity' ? values.AZURE_CLIENT_ID : undefined;
      const clientId = values.OBO_MANAGED_IDENTITY_CLIENT_ID ?? identity;
      return { kind, clientId, exchangeScope: `${exchangeAudience(values.AZURE_AUTHORITY_HOST)}/.default` };
    }
    case 'clientSecret':
      return { kind, clientSecret: required(values, 'OBO_CLIENT_SECRET', because, faults) };
    case 'clientCertificate':
      return { kind, certificatePath: required(values, 'OBO_CERTIFICATE_PATH', because, faults) };
  }
}

/** learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity */
function exchangeAudience(authorityHost: string): string {
  const { hostname } = new URL(authorityHost);
  if (hostname.endsWith('.us')) return 'api://AzureADTokenExchangeUSGov';
  return hostname.endsWith('.cn') ? 'api://AzureADTokenExchangeChina' : 'api://AzureADTokenExchange';
}

import type { ConfigError, SettingValues } from './readSettings.ts';

type TextSettingName =
  | 'ENTRA_TENANT_ID'
  | 'API_AUDIENCE'
  | 'AZURE_TENANT_ID'
  | 'AZURE_CLIENT_ID'
  | 'AZURE_CLIENT_SECRET'
  | 'AZURE_CLIENT_CERTIFICATE_PATH'
  | 'AZURE_FEDERATED_TOKEN_FILE'
  | 'OBO_CLIENT_ID'
  | 'OBO_CLIENT_SECRET'
  | 'OBO_CERTIFICATE_PATH';

/** The value, or a fault and an empty text that no one sees: a faulty configuration is never used. */
export function required(values: SettingValues, name: TextSettingName, because: string, faults: ConfigError[]): string {
  const value = values[name];
  if (typeof value === 'string') return value;
  const isReported = faults.some((fault) => fault.setting === name);
  if (!isReported) faults.push({ setting: name, fault: `must be set with ${because}` });
  return '';
}

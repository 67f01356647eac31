import { MIN_JOB_KEY_LENGTH } from '../common/limits.ts';
import type { ConfigError, SettingValues } from './readSettings.ts';
import type { StorageConfig } from './storageConfig.ts';

/** What jobs need besides the store of records. */
export type JobsConfig =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'queue';
      readonly storage: Exclude<StorageConfig, { kind: 'none' }>;
      /** Seals their messages. It is not in the storage account. */
      readonly key: string;
      readonly timeoutMs: number;
    };

/** The key of the settings goes before the platform's own. */
export function jobsConfig(values: SettingValues, storage: StorageConfig, faults: ConfigError[]): JobsConfig {
  const { JOB_KEY, WEBSITE_AUTH_ENCRYPTION_KEY, JOB_TIMEOUT_MINUTES } = values;
  if (JOB_KEY !== undefined && JOB_KEY.length < MIN_JOB_KEY_LENGTH) {
    faults.push({ setting: 'JOB_KEY', fault: `must have at least ${MIN_JOB_KEY_LENGTH} characters` });
  }
  const key = JOB_KEY ?? WEBSITE_AUTH_ENCRYPTION_KEY;
  const hasQueue = storage.kind === 'connectionString' || (storage.kind === 'identity' && storage.queueServiceUri);
  if (!hasQueue || key === undefined || key.length < MIN_JOB_KEY_LENGTH) return { kind: 'none' };
  return { kind: 'queue', storage, key, timeoutMs: JOB_TIMEOUT_MINUTES * 60_000 };
}

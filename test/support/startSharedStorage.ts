import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAzurite } from '../../local/azurite.ts';
import { OTHER_ACCOUNTS, SHARED_STORAGE, type SharedStorage } from './sharedStorage.ts';

/** Jest's global setup. */
export default async function startSharedStorage(): Promise<void> {
  const azurite = await startAzurite({ otherAccounts: OTHER_ACCOUNTS });
  const folder = mkdtempSync(join(tmpdir(), 'test-accounts-'));
  const shared: SharedStorage = { azurite, folder };
  process.env[SHARED_STORAGE] = JSON.stringify(shared);
  Object.assign(globalThis, { sharedAzurite: azurite });
}

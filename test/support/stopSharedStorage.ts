import { rmSync } from 'node:fs';
import type { Azurite } from '../../local/azurite.ts';
import { SHARED_STORAGE, type SharedStorage } from './sharedStorage.ts';

/** Jest's global teardown, which finds in `globalThis` what the setup left there. */
export default async function stopSharedStorage(): Promise<void> {
  const { folder }: SharedStorage = JSON.parse(process.env[SHARED_STORAGE] ?? '');
  rmSync(folder, { recursive: true, force: true });
  const { sharedAzurite } = globalThis as typeof globalThis & { readonly sharedAzurite: Azurite }; // startSharedStorage.ts
  await sharedAzurite.stop();
}

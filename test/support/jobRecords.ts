import type { StorageConfig } from '../../shared/config/storageConfig.ts';
import { isJob, type StoredJob } from '../../shared/jobs/storedJob.ts';
import { createUploadContainer } from '../../shared/storage/blobContainer.ts';
import type { JobPart } from '../../shared/uploads/uploadRecord.ts';
import { createUploadStore, type UploadStore } from '../../shared/uploads/uploadStore.ts';

/** The records of a site, as the app sees them. */
export function openUploadStore(connectionString: string): UploadStore {
  const storage: StorageConfig = { kind: 'connectionString', connectionString };
  return createUploadStore(createUploadContainer(storage, () => {}));
}

export async function readJob(store: UploadStore, location: string): Promise<StoredJob['record']> {
  return (await readStoredJob(store, location)).record;
}

/** Changes a job's record as if it had come to this. */
export async function changeJob(store: UploadStore, location: string, changes: Partial<JobPart>): Promise<void> {
  const stored = await readStoredJob(store, location);
  await store.write(stored, { ...stored.record, job: { ...stored.record.job, ...changes } });
}

async function readStoredJob(store: UploadStore, location: string): Promise<StoredJob> {
  const stored = await store.read(idIn(location));
  if (stored === undefined || !isJob(stored)) throw new Error('There is no such job.');
  return stored;
}

/** A moment from now, as records have it. */
export function inMs(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}

export function idIn(location: string): string {
  return location.slice(location.lastIndexOf('/') + 1);
}

import type { StorageConfig } from '../../shared/config/storageConfig.ts';
import { createUploadContainer } from '../../shared/upload/uploadContainer.ts';
import type { JobPart, UploadRecord } from '../../shared/upload/uploadRecord.ts';
import { createUploadStore, type UploadStore } from '../../shared/upload/uploadStore.ts';

/** The records of a site, as the app sees them. */
export function openUploadStore(connectionString: string): UploadStore {
  const storage: StorageConfig = { kind: 'connectionString', connectionString };
  return createUploadStore(createUploadContainer(storage, () => {}));
}

export async function readJob(store: UploadStore, location: string): Promise<UploadRecord & { readonly job: JobPart }> {
  const stored = await store.read(idIn(location));
  if (stored?.record.job === undefined) throw new Error('There is no such job.');
  return { ...stored.record, job: stored.record.job };
}

/** Changes a job's record as if it had come to this. */
export async function changeJob(store: UploadStore, location: string, changes: Partial<JobPart>): Promise<void> {
  const stored = await store.read(idIn(location));
  if (stored?.record.job === undefined) throw new Error('There is no such job.');
  await store.write(stored, { ...stored.record, job: { ...stored.record.job, ...changes } });
}

/** A moment from now, as records have it. */
export function inMs(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}

export function idIn(location: string): string {
  return location.slice(location.lastIndexOf('/') + 1);
}

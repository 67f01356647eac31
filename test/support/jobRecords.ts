import type { StorageConfig } from '../../shared/config/storageConfig.ts';
import { createJobStore, type JobFile, type JobRecord, type JobStore } from '../../shared/jobs/jobRecord.ts';
import { createUploadContainer } from '../../shared/storage/blobContainer.ts';

/** The job records of a site, as the app sees them. */
export function openJobStore(connectionString: string): JobStore {
  const storage: StorageConfig = { kind: 'connectionString', connectionString };
  return createJobStore(createUploadContainer(storage, () => {}));
}

export async function readJob(store: JobStore, location: string): Promise<JobRecord> {
  return (await readStoredJob(store, location)).record;
}

/** The one file of a job. */
export async function readJobFile(store: JobStore, location: string): Promise<JobFile> {
  const [file] = (await readJob(store, location)).files;
  if (file === undefined) throw new Error('The job has no file.');
  return file;
}

/** Changes a job's record as if runs had written it. */
export async function changeJob(
  store: JobStore,
  location: string,
  changes: Partial<JobRecord>,
  file: Partial<JobFile> = {},
): Promise<void> {
  const stored = await readStoredJob(store, location);
  const files = stored.record.files.map((one) => ({ ...one, ...file }));
  await store.write(stored, { ...stored.record, files, ...changes });
}

async function readStoredJob(store: JobStore, location: string) {
  const stored = await store.read(idIn(location));
  if (stored === undefined) throw new Error('There is no such job.');
  return stored;
}

/** A moment from now, as records have it. */
export function inMs(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}

export function idIn(location: string): string {
  return location.slice(location.lastIndexOf('/') + 1);
}

import type { JobPart } from '../upload/uploadRecord.ts';
import type { StoredUpload } from '../upload/uploadStore.ts';

/** An upload that goes on without its caller. */
export type StoredJob = StoredUpload & { readonly record: { readonly job: JobPart } };

export function isJob(stored: StoredUpload): stored is StoredJob {
  return stored.record.job !== undefined;
}

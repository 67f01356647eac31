import type { JobPart } from '../uploads/uploadRecord.ts';
import type { StoredUpload } from '../uploads/uploadStore.ts';

/** An upload that goes on without its caller. */
export type StoredJob = StoredUpload & { readonly record: { readonly job: JobPart } };

export function isJob(stored: StoredUpload): stored is StoredJob {
  return stored.record.job !== undefined;
}

import { endSession } from '../transfer/uploadContext.ts';
import type { UploadFailure } from '../uploads/uploadRecord.ts';
import type { JobOutcome } from './jobLog.ts';
import type { LoadedJob } from './transferFile.ts';

/**
 * Ends a job without its attachment, unless the item has it all the same. What was begun at Graph is ended before, so that
 * nothing is attached behind the failure.
 *
 * @throws UploadConflict, ServiceError StorageUnavailable
 */
export async function failJob(job: LoadedJob, error: UploadFailure, cause?: unknown): Promise<JobOutcome> {
  const { progress, uploadContext } = job;
  if (progress.record.session !== undefined) await endSession(uploadContext);
  const isDoubtful = progress.mayBeAttached;
  const attached = isDoubtful ? await progress.findAttachment().catch(() => 'unknown' as const) : undefined;
  if (attached !== undefined && attached !== 'unknown') {
    await progress.complete(attached.location);
    return { code: 'Completed' };
  }
  const doubt =
    attached === 'unknown' ? ' Graph could not be asked whether the file is attached: look at the item.' : '';
  await progress.fail({ ...error, message: `${error.message}${doubt}` });
  return { code: 'Failed', reason: error.code, error: cause };
}

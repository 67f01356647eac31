import type { JobOutcome } from '../log/jobLine.ts';
import { endSession } from '../transfer/sending.ts';
import type { UploadFailure } from '../upload/uploadRecord.ts';
import type { JobUnderWay } from './carryJob.ts';

/**
 * Ends a job without its attachment, unless the item has it all the same. What was begun at Graph is ended before, so that
 * nothing is attached behind the failure.
 *
 * @throws UploadConflict, ServiceError StorageUnavailable
 */
export async function failJob(job: JobUnderWay, error: UploadFailure, cause?: unknown): Promise<JobOutcome> {
  const { transfer, sending } = job;
  if (transfer.record.session !== undefined) await endSession(sending);
  const isDoubtful = transfer.mayBeAttached;
  const attached = isDoubtful ? await transfer.findAttachment().catch(() => 'unknown' as const) : undefined;
  if (attached !== undefined && attached !== 'unknown') {
    await transfer.complete(attached.location);
    return { code: 'Completed' };
  }
  const doubt =
    attached === 'unknown' ? ' Graph could not be asked whether the file is attached: look at the item.' : '';
  await transfer.fail({ ...error, message: `${error.message}${doubt}` });
  return { code: 'Failed', reason: error.code, error: cause };
}

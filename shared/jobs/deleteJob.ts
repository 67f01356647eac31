import { JOB_POLL_SECONDS } from '../common/limits.ts';
import type { Dependencies, RequestContext } from '../dependencies.ts';
import { ServiceError } from '../errors.ts';
import type { ResponseData } from '../server/response.ts';
import { readJob, workerOf } from './getJob.ts';
import { currentFile, type StoredJob } from './jobRecord.ts';
import { loadJob } from './loadJob.ts';

const CANCELLED: ResponseData = { status: 204, headers: {}, body: '' };

/**
 * `DELETE` on a job's URL: takes the job from its worker, marks it, and ends the session at Graph. If the worker was faster, the
 * file is attached, and the response says so.
 *
 * @throws ServiceError UploadNotFound, UploadBusy, UploadCompleted; if it is unknown which was faster, the reason why Graph did
 *   not say so: the same request may be sent again
 */
export async function deleteJob(
  context: RequestContext,
  id: string,
  dependencies: Dependencies,
): Promise<ResponseData> {
  const stored = await readJob(id, context, dependencies);
  const { progress, uploadContext } = await loadJob(stored, workerOf(context), dependencies);
  await progress.cancel(async (current) => {
    requireInterruptible(current);
    await dependencies.jobs.store.breakLease(id);
  });
  const { status } = progress.record.state;
  if (status === 'completed') throw jobCompleted();
  if (status === 'failed') return CANCELLED;
  const attached = await progress.end(uploadContext);
  if (attached === undefined) return CANCELLED;
  await progress.attached(attached.location);
  throw jobCompleted();
}

/**
 * A small file that is being attached in one call cannot be called back: its outcome is known soon.
 *
 * @throws ServiceError UploadBusy
 */
function requireInterruptible({ isLeased, record }: StoredJob): void {
  const { session, uncertainOffsets } = currentFile(record);
  if (!isLeased || session !== undefined || uncertainOffsets.length === 0) return;
  throw new ServiceError('UploadBusy', 'The file is being attached. Send the request again in a few seconds.', {
    headers: { 'retry-after': String(JOB_POLL_SECONDS) },
  });
}

function jobCompleted(): ServiceError {
  return new ServiceError('UploadCompleted', 'The job is completed: the attachment is there.');
}

import { JOB_POLL_SECONDS } from '../common/limits.ts';
import type { Dependencies } from '../dependencies.ts';
import { ServiceError } from '../errors.ts';
import type { RequestContext } from '../handleRequest.ts';
import { isJob } from '../jobs/storedJob.ts';
import type { ResponseData } from '../server/response.ts';
import { endSession } from '../transfer/uploadContext.ts';
import { loadUpload, readUpload } from './loadUpload.ts';
import type { StoredUpload } from './uploadStore.ts';

const CANCELLED: ResponseData = { status: 204, headers: {}, body: '' };

/**
 * `DELETE` on an upload's address: marks the upload, so that nobody goes on with it, and ends the session at Graph. It does not
 * wait for a range that is under way. Where that range was faster, the file is attached, and the answer says so.
 *
 * @throws ServiceError UploadNotFound, UploadCompleted; where it cannot be known which was faster, what kept Graph from saying
 *   so: the same request may be sent again
 */
export async function deleteUpload(
  context: RequestContext,
  id: string,
  dependencies: Dependencies,
): Promise<ResponseData> {
  const stored = await readUpload(id, context, dependencies);
  const { progress, uploadContext } = await loadUpload(stored, context, dependencies);
  await progress.cancel(isJob(stored) ? (current) => breakIn(current, dependencies) : undefined);
  const { status } = progress.record.state;
  if (status === 'completed') throw completed();
  if (status === 'failed') return CANCELLED;
  // A small file goes up in one call and has no session: the item says what became of it.
  const hasNone = progress.record.session === undefined;
  const session = hasNone ? ({ kind: 'gone' } as const) : await endSession(uploadContext);
  if (session.kind === 'ended' || !progress.mayBeAttached) return CANCELLED;
  const attached = await progress.findAttachment();
  if (attached !== undefined) {
    await progress.complete(attached.location);
    throw completed();
  }
  if (session.kind === 'unknown') throw session.failure;
  return CANCELLED;
}

/**
 * Takes a job from its worker. A small file that is on its way in one call cannot be called back: what comes of it is known soon.
 *
 * @throws ServiceError UploadBusy
 */
async function breakIn({ id, isLeased, record }: StoredUpload, { uploads }: Dependencies): Promise<void> {
  const isOnItsWay = record.session === undefined && record.uncertainOffsets.length > 0;
  if (isOnItsWay && isLeased) {
    throw new ServiceError('UploadBusy', 'The file is being attached in this moment; ask again in a few seconds.', {
      headers: { 'retry-after': String(JOB_POLL_SECONDS) },
    });
  }
  await uploads.breakLease(id);
}

function completed(): ServiceError {
  return new ServiceError('UploadCompleted', 'The upload is completed: the attachment is there.');
}

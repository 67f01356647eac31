import {
  JOB_LEASE_RENEW_MS,
  JOB_LEASE_SECONDS,
  JOB_POLL_SECONDS,
  JOB_STALLED_MS,
  MAX_JOB_POLL_SECONDS,
} from '../common/limits.ts';
import type { Dependencies } from '../dependencies.ts';
import { ServiceError } from '../errors.ts';
import type { RequestContext } from '../handleRequest.ts';
import { type ResponseData, storedErrorResponse } from '../server/response.ts';
import { describeAttachment } from '../transfer/describeAttachment.ts';
import { loadUpload } from '../uploads/loadUpload.ts';
import type { JobPart } from '../uploads/uploadRecord.ts';
import { UploadConflict } from '../uploads/uploadStore.ts';
import { uploadUrlOf } from '../uploads/uploadUrlOf.ts';
import { withLease } from '../uploads/withLease.ts';
import { failJob } from './failJob.ts';
import { jobFailed } from './jobErrors.ts';
import { jobResponse } from './jobResponse.ts';
import { loadJob } from './loadJob.ts';
import { isJob, type StoredJob } from './storedJob.ts';

/**
 * `GET` on a job's address: 202 and how far it is; once it is over, 201 with the attachment, or the error that ended it, never
 * a 5xx of that. A job that stands still without a worker gets a new message, and one past its time is over.
 *
 * @throws ServiceError UploadCancelled, StorageUnavailable
 */
export async function getJob(
  context: RequestContext,
  asked: StoredJob,
  dependencies: Dependencies,
): Promise<ResponseData> {
  const { request, info } = context;
  const stored = await lookedAfter(asked, context, dependencies);
  const { state, job } = stored.record;
  switch (state.status) {
    case 'uploading':
      return jobResponse(
        stored.record,
        uploadUrlOf(stored.id, request.url, dependencies.config.publicBaseUrl),
        pollSeconds(job),
      );
    case 'completed': {
      const { item } = await loadUpload(stored, context, dependencies);
      const described = await describeAttachment({ ...stored.record, attachmentId: state.attachmentId }, item);
      return { status: 201, headers: {}, body: JSON.stringify(described) };
    }
    case 'failed':
      return storedErrorResponse(state.error, info, new Date());
    case 'cancelled':
      throw new ServiceError('UploadCancelled', 'The job was cancelled.');
  }
}

/** The longer Graph has asked to wait, the later it is worth asking again. */
function pollSeconds({ notBefore }: JobPart): number {
  const waitSeconds = Math.ceil((Date.parse(notBefore) - Date.now()) / 1000);
  return Math.min(Math.max(JOB_POLL_SECONDS, waitSeconds), MAX_JOB_POLL_SECONDS);
}

async function lookedAfter(stored: StoredJob, context: RequestContext, dependencies: Dependencies): Promise<StoredJob> {
  if (stored.record.state.status !== 'uploading' || stored.isLeased) return stored;
  const { endsAt, movedAt, notBefore, wakeUps } = stored.record.job;
  const now = Date.now();
  if (now > Date.parse(endsAt) + JOB_STALLED_MS) return ended(stored, context, dependencies);
  const standsSince = Math.max(Date.parse(movedAt), Date.parse(notBefore));
  if (now < standsSince + JOB_STALLED_MS * 2 ** wakeUps) return stored;
  return wokenUp(stored, dependencies);
}

/** The message of a host that died comes again after ten minutes only (host-measured). */
async function wokenUp(stored: StoredJob, { uploads, jobs }: Dependencies): Promise<StoredJob> {
  if (jobs === undefined) return stored;
  const { job } = stored.record;
  const moved = { ...job, movedAt: new Date().toISOString(), wakeUps: job.wakeUps + 1 };
  try {
    await uploads.write(stored, { ...stored.record, job: moved });
    await jobs.send(stored.id, 0);
  } catch (error) {
    if (!(error instanceof UploadConflict)) throw error; // A worker, or another poller, has it.
  }
  return stored;
}

/** No worker has said so: the queue or its trigger is out of order. */
async function ended(asked: StoredJob, context: RequestContext, dependencies: Dependencies): Promise<StoredJob> {
  const { uploads } = dependencies;
  const lease = await uploads.acquireLease(asked.id, JOB_LEASE_SECONDS);
  if (lease === undefined) return asked;
  return withLease(uploads, lease, { renewEveryMs: JOB_LEASE_RENEW_MS }, async () => {
    const stored = await uploads.read(asked.id);
    if (stored === undefined || !isJob(stored) || stored.record.state.status !== 'uploading') return asked;
    const { deadline, logEntry } = context;
    const job = await loadJob(stored, lease, deadline, logEntry, {}, dependencies);
    try {
      await failJob(job, jobFailed('The time for the job has passed.', stored.record.job.lastReason));
    } catch (error) {
      if (!(error instanceof UploadConflict)) throw error;
      await job.progress.refresh(); // It was cancelled meanwhile: that is the answer.
    }
    return { ...stored, record: { ...stored.record, state: job.progress.record.state } };
  });
}

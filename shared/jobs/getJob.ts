import {
  JOB_LEASE_RENEW_MS,
  JOB_LEASE_SECONDS,
  JOB_POLL_SECONDS,
  JOB_STALLED_MS,
  MAX_JOB_POLL_SECONDS,
} from '../common/limits.ts';
import type { Dependencies, RequestContext } from '../dependencies.ts';
import { ServiceError } from '../errors.ts';
import { hashUploadId } from '../logging/mask.ts';
import { proxyUrlOf } from '../paths/proxyUrl.ts';
import { type ResponseData, storedErrorResponse } from '../server/response.ts';
import { openUrl } from '../sources/urlSource.ts';
import { RecordConflict } from '../storage/recordStore.ts';
import { withLease } from '../storage/withLease.ts';
import { nextExpectedRanges } from '../transfer/contentRange.ts';
import { describeAttachment } from '../transfer/describeAttachment.ts';
import { jobFailed } from './jobErrors.ts';
import { currentFile, type JobRecord, type StoredJob } from './jobRecord.ts';
import { failJob, loadJob } from './loadJob.ts';

/**
 * `GET` on a job's URL: 202 with its progress; once it has finished, 201 with the attachment, or the error that ended it, which is
 * never a 5xx. A job that has stalled without a worker gets a new message, and one past its end fails.
 *
 * @throws ServiceError UploadNotFound, UploadCancelled, StorageUnavailable
 */
export async function getJob(context: RequestContext, id: string, dependencies: Dependencies): Promise<ResponseData> {
  const { request, info } = context;
  const stored = await revive(await readJob(id, context, dependencies), context, dependencies);
  const { record } = stored;
  switch (record.state.status) {
    case 'running': {
      const location = proxyUrlOf('job', id, request.url, dependencies.config.publicBaseUrl);
      return jobResponse(record, location, pollSeconds(record));
    }
    case 'completed': {
      const { item, progress } = await loadJob(stored, workerOf(context), dependencies);
      const described = await describeAttachment(
        { ...progress.transfer, attachmentId: progress.transfer.attached?.attachmentId },
        item,
      );
      return { status: 201, headers: {}, body: JSON.stringify(described) };
    }
    case 'failed':
      return storedErrorResponse(record.state.error, info, new Date());
    case 'cancelled':
      throw new ServiceError('UploadCancelled', 'The job was cancelled.');
  }
}

/** @throws ServiceError UploadNotFound, StorageUnavailable, StorageNotConfigured */
export async function readJob(id: string, { logEntry }: RequestContext, { jobs }: Dependencies): Promise<StoredJob> {
  logEntry.upload = hashUploadId(id);
  const stored = await jobs.store.read(id);
  logEntry.endStage('store');
  if (stored === undefined) throw new ServiceError('UploadNotFound', 'The job does not exist or has expired.');
  logEntry.caller = stored.record.caller;
  logEntry.actsAs = 'app';
  logEntry.addTransfer(currentFile(stored.record));
  return stored;
}

/** What a request of a poller gives to a job that it looks at. */
export function workerOf({ deadline, logEntry }: RequestContext) {
  return { lease: undefined, deadline, logEntry, context: {}, open: openUrl };
}

/**
 * The response while a job runs. 202 with a Location makes the engine of Logic Apps poll
 * (learn.microsoft.com/azure/logic-apps/logic-apps-create-api-app). The progress never decreases, also if a file is sent again in
 * another session, and is 100 percent only once everything is attached.
 */
export function jobResponse({ files }: JobRecord, location: string, retryAfterSeconds: number): ResponseData {
  const sizeBytes = sum(files.map(({ attachment }) => attachment.sizeBytes));
  const sentBytes = sum(files.map(({ offset, furthestOffset }) => Math.max(offset, furthestOffset)));
  return {
    status: 202,
    headers: { location, 'retry-after': String(retryAfterSeconds) },
    body: JSON.stringify({
      status: 'uploading',
      percentComplete: sizeBytes === 0 ? 0 : Math.min(99, Math.floor((100 * sentBytes) / sizeBytes)),
      nextExpectedRanges: nextExpectedRanges(sentBytes, sizeBytes),
    }),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** The longer Graph has asked to wait, the later the next poll. */
function pollSeconds({ notBefore }: JobRecord): number {
  const waitSeconds = Math.ceil((Date.parse(notBefore) - Date.now()) / 1000);
  return Math.min(Math.max(JOB_POLL_SECONDS, waitSeconds), MAX_JOB_POLL_SECONDS);
}

async function revive(stored: StoredJob, context: RequestContext, dependencies: Dependencies): Promise<StoredJob> {
  const { state, endsAt, movedAt, notBefore, wakeUps } = stored.record;
  if (state.status !== 'running' || stored.isLeased) return stored;
  const now = Date.now();
  if (now > Date.parse(endsAt) + JOB_STALLED_MS) return end(stored, context, dependencies);
  const stalledSince = Math.max(Date.parse(movedAt), Date.parse(notBefore));
  if (now < stalledSince + JOB_STALLED_MS * 2 ** wakeUps) return stored;
  await wakeUp(stored, dependencies);
  return stored;
}

/** The message of a host that died comes again only after ten minutes (host-measured). */
async function wakeUp(stored: StoredJob, { jobs: { store, queue } }: Dependencies): Promise<void> {
  if (queue === undefined) return;
  const { record } = stored;
  const changes = { movedAt: new Date().toISOString(), wakeUps: record.wakeUps + 1 };
  try {
    await store.write(stored, { ...record, ...changes });
    await queue.send(stored.id, 0);
  } catch (error) {
    if (!(error instanceof RecordConflict)) throw error; // A worker, or another poller, has it.
  }
}

/** No worker has ended the job in time: the queue or its trigger does not work. */
async function end(stalled: StoredJob, context: RequestContext, dependencies: Dependencies): Promise<StoredJob> {
  const { store } = dependencies.jobs;
  const lease = await store.acquireLease(stalled.id, JOB_LEASE_SECONDS);
  if (lease === undefined) return stalled;
  return withLease(store, lease, { renewEveryMs: JOB_LEASE_RENEW_MS }, async () => {
    const stored = await store.read(stalled.id);
    if (stored?.record.state.status !== 'running') return stored ?? stalled;
    const job = await loadJob(stored, { ...workerOf(context), lease }, dependencies);
    try {
      await failJob(job, jobFailed('The timeout of the job has passed.', stored.record.lastReason));
    } catch (error) {
      if (!(error instanceof RecordConflict)) throw error;
      await job.progress.refresh(); // It was cancelled meanwhile.
    }
    return job.progress.stored;
  });
}

import { type Answer, keptErrorAnswer } from '../answer.ts';
import { ServiceError } from '../errors.ts';
import {
  JOB_LEASE_RENEW_MS,
  JOB_LEASE_SECONDS,
  JOB_POLL_SECONDS,
  JOB_STANDSTILL_MS,
  MAX_JOB_POLL_SECONDS,
} from '../limits.ts';
import type { JobPart } from '../upload/uploadRecord.ts';
import { UploadConflict } from '../upload/uploadStore.ts';
import { withLease } from '../upload/withLease.ts';
import type { Exchange } from './answerOperation.ts';
import type { Collaborators } from './collaborators.ts';
import { describeAttachment } from './describeAttachment.ts';
import { failJob } from './failJob.ts';
import { jobAnswer } from './jobAnswer.ts';
import { jobFailed } from './jobFailure.ts';
import { isJob, type StoredJob } from './storedJob.ts';
import { takeUpJob } from './takeUpJob.ts';
import { takeUpUpload } from './takeUpUpload.ts';
import { uploadUrlOf } from './uploadUrlOf.ts';

/**
 * `GET` on a job's address: 202 and how far it is; once it is over, 201 with the attachment, or the error that ended it, never
 * a 5xx of that. A job that stands still without a worker gets a new message, and one past its time is over.
 *
 * @throws ServiceError UploadCancelled, StorageUnavailable
 */
export async function showJob(exchange: Exchange, asked: StoredJob, collaborators: Collaborators): Promise<Answer> {
  const { request, head } = exchange;
  const stored = await lookedAfter(asked, exchange, collaborators);
  const { state, job } = stored.record;
  switch (state.status) {
    case 'uploading':
      return jobAnswer(
        stored.record,
        uploadUrlOf(stored.id, request.url, collaborators.config.publicBaseUrl),
        pollSeconds(job),
      );
    case 'completed': {
      const { item } = await takeUpUpload(stored, exchange, collaborators);
      const described = await describeAttachment({ ...stored.record, attachmentId: state.attachmentId }, item);
      return { status: 201, headers: {}, body: JSON.stringify(described) };
    }
    case 'failed':
      return keptErrorAnswer(state.error, head, new Date());
    case 'cancelled':
      throw new ServiceError('UploadCancelled', 'The job was cancelled.');
  }
}

/** The longer Graph has asked to wait, the later it is worth asking again. */
function pollSeconds({ notBefore }: JobPart): number {
  const waitSeconds = Math.ceil((Date.parse(notBefore) - Date.now()) / 1000);
  return Math.min(Math.max(JOB_POLL_SECONDS, waitSeconds), MAX_JOB_POLL_SECONDS);
}

async function lookedAfter(stored: StoredJob, exchange: Exchange, collaborators: Collaborators): Promise<StoredJob> {
  if (stored.record.state.status !== 'uploading' || stored.isLeased) return stored;
  const { endsAt, movedAt, notBefore, nudges } = stored.record.job;
  const now = Date.now();
  if (now > Date.parse(endsAt) + JOB_STANDSTILL_MS) return ended(stored, exchange, collaborators);
  const standsSince = Math.max(Date.parse(movedAt), Date.parse(notBefore));
  if (now < standsSince + JOB_STANDSTILL_MS * 2 ** nudges) return stored;
  return nudged(stored, collaborators);
}

/** The message of a host that died comes again after ten minutes only (host-measured). */
async function nudged(stored: StoredJob, { uploads, jobs }: Collaborators): Promise<StoredJob> {
  if (jobs === undefined) return stored;
  const { job } = stored.record;
  const moved = { ...job, movedAt: new Date().toISOString(), nudges: job.nudges + 1 };
  try {
    await uploads.write(stored, { ...stored.record, job: moved });
    await jobs.send(stored.id, 0);
  } catch (error) {
    if (!(error instanceof UploadConflict)) throw error; // A worker, or another poller, has it.
  }
  return stored;
}

/** No worker has said so: the queue or its trigger is out of order. */
async function ended(asked: StoredJob, exchange: Exchange, collaborators: Collaborators): Promise<StoredJob> {
  const { uploads } = collaborators;
  const lease = await uploads.acquireLease(asked.id, JOB_LEASE_SECONDS);
  if (lease === undefined) return asked;
  return withLease(uploads, lease, { renewEveryMs: JOB_LEASE_RENEW_MS }, async () => {
    const stored = await uploads.read(asked.id);
    if (stored === undefined || !isJob(stored) || stored.record.state.status !== 'uploading') return asked;
    const { deadline, record } = exchange;
    const job = await takeUpJob(stored, lease, deadline, record, {}, collaborators);
    try {
      await failJob(job, jobFailed('The time for the job has passed.', stored.record.job.lastReason));
    } catch (error) {
      if (!(error instanceof UploadConflict)) throw error;
      await job.transfer.refresh(); // It was cancelled meanwhile: that is the answer.
    }
    return { ...stored, record: { ...stored.record, state: job.transfer.record.state } };
  });
}

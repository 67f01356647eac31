import type { InvocationContext } from '@azure/functions';
import { startDeadline } from '../deadline.ts';
import { asServiceError } from '../errors.ts';
import type { JobQueue } from '../job/jobQueue.ts';
import {
  JOB_LEASE_RENEW_MS,
  JOB_LEASE_SECONDS,
  JOB_RETRY_BASE_MS,
  JOB_RUN_MS,
  JOB_STORAGE_RETRY_MS,
  MAX_JOB_ATTEMPTS,
  MAX_JOB_RETRY_MS,
} from '../limits.ts';
import { type JobOutcome, jobLine } from '../log/jobLine.ts';
import { hashUploadId } from '../log/mask.ts';
import { RequestRecord } from '../log/requestRecord.ts';
import type { RecordedTransfer } from '../transfer/recordedTransfer.ts';
import type { JobPart, JobReason } from '../upload/uploadRecord.ts';
import { type StoredUpload, UploadConflict, type UploadLease } from '../upload/uploadStore.ts';
import { carryJob, type JobUnderWay } from './carryJob.ts';
import type { Collaborators } from './collaborators.ts';
import { failJob } from './failJob.ts';
import { jobFailed, jobFailureOf } from './jobFailure.ts';
import { isJob, type StoredJob } from './storedJob.ts';
import { takeUpJob } from './takeUpJob.ts';
import { noteUpload } from './takeUpUpload.ts';

/** `poison`: the host has given a message up, since the worker broke off each time. */
export type JobMessageKind = 'nudge' | 'poison';

/**
 * One invocation of the queue trigger. A message is a nudge: it may come twice, late, never, or from a stranger. The record says
 * what is to be done, its lease that nobody else does it, and whatever is left then is handed on by a new message.
 *
 * @throws Error where neither record nor queue can be reached: the host gives the message again
 */
export async function runJob(
  message: unknown,
  kind: JobMessageKind,
  context: InvocationContext,
  collaborators: Collaborators,
): Promise<void> {
  const { jobs, config } = collaborators;
  const id = jobs?.idIn(message);
  const record = new RequestRecord('runJob');
  let outcome: JobOutcome = { code: 'MessageRefused' };
  if (jobs !== undefined && id !== undefined) {
    record.upload = hashUploadId(id);
    try {
      outcome = await runOwn(id, kind, jobs, record, context, collaborators);
    } catch (error) {
      outcome = await postponed(id, jobs, error);
    }
  }
  context.log(jobLine(record, context, outcome, kind === 'poison', config.logMailbox));
  if (outcome.code === 'BrokenOff') throw brokenOff();
}

/** Where the store of records is out of reach, or something unforeseen happened: by a new message, or else by the host's own. */
async function postponed(id: string, jobs: JobQueue, error: unknown): Promise<JobOutcome> {
  try {
    await jobs.send(id, JOB_STORAGE_RETRY_MS);
    return { code: 'Postponed', reason: asServiceError(error).code, delayMs: JOB_STORAGE_RETRY_MS, error };
  } catch {
    return { code: 'BrokenOff', error };
  }
}

/** The host writes what it is given into its own log: no stack of ours, the reason stands in the job's line. */
function brokenOff(): Error {
  const error = new Error('The run broke off; its line has the reason.');
  error.stack = error.message;
  return error;
}

async function runOwn(
  id: string,
  kind: JobMessageKind,
  jobs: JobQueue,
  record: RequestRecord,
  context: InvocationContext,
  collaborators: Collaborators,
): Promise<JobOutcome> {
  const { uploads } = collaborators;
  const lease = await uploads.acquireLease(id, JOB_LEASE_SECONDS);
  const stored = await uploads.read(id);
  record.endStage('store');
  if (stored !== undefined) noteUpload(stored, record);
  let result: RunResult;
  if (lease === undefined) {
    // Its holder may be dead: then this message is the only one that goes on with the job.
    result = isUnderWay(stored) ? { code: 'HeldElsewhere', delayMs: JOB_LEASE_SECONDS * 1000 } : { code: 'Over' };
  } else {
    try {
      result = isUnderWay(stored)
        ? await runLeased(stored, lease, kind, record, context, collaborators)
        : { code: 'Over' };
    } finally {
      await uploads.releaseLease(lease);
    }
  }
  if (result.delayMs !== undefined) await jobs.send(id, result.delayMs);
  return result;
}

/** A run's outcome; with `delayMs` the job is not over, and a message is to come back for it. */
type RunResult = JobOutcome & { readonly delayMs?: number };

function isUnderWay(stored: StoredUpload | undefined): stored is StoredJob {
  return stored !== undefined && isJob(stored) && stored.record.state.status === 'uploading';
}

async function runLeased(
  stored: StoredJob,
  lease: UploadLease,
  kind: JobMessageKind,
  record: RequestRecord,
  context: InvocationContext,
  collaborators: Collaborators,
): Promise<RunResult> {
  const earlyMs = Date.parse(stored.record.job.notBefore) - Date.now();
  if (earlyMs > 0) return { code: 'TooEarly', delayMs: earlyMs };
  const { uploads, closing } = collaborators;
  const deadline = startDeadline(JOB_RUN_MS);
  closing.addEventListener('abort', deadline.cancel);
  const heartbeat = setInterval(async () => {
    const isHeld = await uploads.renewLease(lease).catch(() => true); // The next write finds out.
    if (!isHeld) deadline.cancel();
  }, JOB_LEASE_RENEW_MS);
  const job = await takeUpJob(stored, lease, deadline, record, context, collaborators);
  try {
    return await attempt(job, stored.record.job, kind);
  } catch (error) {
    if (!(error instanceof UploadConflict)) throw error;
    return await afterConflict(job.transfer);
  } finally {
    clearInterval(heartbeat);
    closing.removeEventListener('abort', deadline.cancel);
    deadline.end();
    record.offset = job.transfer.record.offset;
  }
}

/** @throws UploadConflict where the job is no longer this run's, ServiceError StorageUnavailable */
async function attempt(
  job: JobUnderWay,
  { attempts, endsAt, lastReason }: JobPart,
  kind: JobMessageKind,
): Promise<RunResult> {
  const { transfer, sending } = job;
  if (Date.now() >= Date.parse(endsAt)) {
    return failJob(job, jobFailed('The time for the job has passed.', lastReason));
  }
  if (attempts >= MAX_JOB_ATTEMPTS) {
    return failJob(job, jobFailed(`${attempts} attempts in a row came to nothing.`, lastReason));
  }
  // Written before the work: a run that takes its worker down counts too.
  await transfer.moveJob({ attempts: attempts + 1, nudges: 0 });
  if (kind === 'poison') return putOff(transfer, BROKEN_OFF, undefined);
  try {
    const { location } = await carryJob(job);
    await transfer.complete(location);
    return { code: 'Completed' };
  } catch (error) {
    if (error instanceof UploadConflict) throw error;
    if (sending.deadline.signal.aborted) return { code: 'HandedOn', delayMs: 0 };
    const failure = jobFailureOf(error, job.sourceAskedMs());
    return failure.kind === 'final'
      ? failJob(job, failure.error, error)
      : putOff(transfer, failure.reason, failure.askedMs, error);
  }
}

const BROKEN_OFF: JobReason = { code: 'InternalError', message: 'The worker of the job broke off.' };

/** The wait that was asked for is no failed attempt. */
async function putOff(
  transfer: RecordedTransfer,
  lastReason: JobReason,
  askedMs: number | undefined,
  error?: unknown,
): Promise<RunResult> {
  const begun = transfer.record.job?.attempts ?? 0;
  const attempts = askedMs === undefined ? begun : Math.max(0, begun - 1);
  const delayMs = askedMs ?? Math.min(JOB_RETRY_BASE_MS * 2 ** Math.max(0, begun - 1), MAX_JOB_RETRY_MS);
  await transfer.moveJob({ attempts, lastReason, notBefore: new Date(Date.now() + delayMs).toISOString() });
  return { code: 'Postponed', reason: lastReason.code, delayMs, error };
}

/** Cancelled, or with another worker, or written by nobody who goes on with it. */
async function afterConflict(transfer: RecordedTransfer): Promise<RunResult> {
  await transfer.refresh();
  const { record, isLeased } = transfer.upload;
  if (record.state.status !== 'uploading') return { code: 'Over' };
  return isLeased ? { code: 'HeldElsewhere', delayMs: JOB_LEASE_SECONDS * 1000 } : { code: 'HandedOn', delayMs: 0 };
}

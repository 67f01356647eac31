import type { InvocationContext } from '@azure/functions';
import { type Deadline, startDeadline } from '../common/deadline.ts';
import {
  JOB_LEASE_RENEW_MS,
  JOB_LEASE_SECONDS,
  JOB_RETRY_BASE_MS,
  JOB_RUN_MS,
  JOB_STORAGE_RETRY_MS,
  MAX_JOB_ATTEMPTS,
  MAX_JOB_RETRY_MS,
} from '../common/limits.ts';
import type { Dependencies } from '../dependencies.ts';
import { asServiceError } from '../errors.ts';
import { LogEntry } from '../logging/logEntry.ts';
import { hashUploadId } from '../logging/mask.ts';
import { openUrl } from '../sources/urlSource.ts';
import type { StoredProgress } from '../transfer/storedProgress.ts';
import { logUpload } from '../uploads/loadUpload.ts';
import type { JobPart, JobReason } from '../uploads/uploadRecord.ts';
import { UploadConflict, type UploadLease } from '../uploads/uploadStore.ts';
import { withLease } from '../uploads/withLease.ts';
import { failJob } from './failJob.ts';
import { jobFailed, jobFailureOf } from './jobErrors.ts';
import { type JobOutcome, jobLine } from './jobLog.ts';
import type { JobQueue } from './jobQueue.ts';
import { loadJob } from './loadJob.ts';
import { isJob, type StoredJob } from './storedJob.ts';
import { type LoadedJob, transferFile } from './transferFile.ts';

/** `poison`: the host has given a message up, since the worker broke off each time. */
export type JobMessageKind = 'wakeUp' | 'poison';

/**
 * One invocation of the queue trigger. A message only wakes a job up: it may come twice, late, never, or from a stranger. The record says
 * what is to be done, its lease that nobody else does it, and whatever is left then is handed on by a new message.
 *
 * @param open opens the job's source; openUrl unless a test says otherwise
 * @throws Error where neither record nor queue can be reached: the host gives the message again
 */
export async function runJob(
  message: unknown,
  kind: JobMessageKind,
  context: InvocationContext,
  dependencies: Dependencies,
  open: typeof openUrl = openUrl,
): Promise<void> {
  const { jobs, config } = dependencies;
  const id = jobs?.idIn(message);
  const logEntry = new LogEntry('runJob');
  let outcome: JobOutcome = { code: 'MessageRefused' };
  if (jobs !== undefined && id !== undefined) {
    logEntry.upload = hashUploadId(id);
    try {
      outcome = await runOwn({ id, kind, jobs, logEntry, context, dependencies, open });
    } catch (error) {
      outcome = await postponed(id, jobs, error);
    }
  }
  context.log(jobLine(logEntry, context, outcome, kind === 'poison', config.logMailbox));
  if (outcome.code === 'Aborted') throw aborted();
}

/** Where the store of records is out of reach, or something unforeseen happened: by a new message, or else by the host's own. */
async function postponed(id: string, jobs: JobQueue, error: unknown): Promise<JobOutcome> {
  try {
    await jobs.send(id, JOB_STORAGE_RETRY_MS);
    return { code: 'Postponed', reason: asServiceError(error).code, delayMs: JOB_STORAGE_RETRY_MS, error };
  } catch {
    return { code: 'Aborted', error };
  }
}

/** The host writes what it is given into its own log: no stack of ours, the reason stands in the job's line. */
function aborted(): Error {
  const error = new Error('The run broke off; its line has the reason.');
  error.stack = error.message;
  return error;
}

/** One message, and what its run works with. */
interface Run {
  readonly id: string;
  readonly kind: JobMessageKind;
  readonly jobs: JobQueue;
  readonly logEntry: LogEntry;
  readonly context: InvocationContext;
  readonly dependencies: Dependencies;
  readonly open: typeof openUrl;
}

/** A run's outcome; with `delayMs` the job is not over, and a message is to come back for it. */
type RunResult = JobOutcome & { readonly delayMs?: number };

async function runOwn(run: Run): Promise<JobOutcome> {
  const { id, jobs, dependencies } = run;
  const lease = await dependencies.uploads.acquireLease(id, JOB_LEASE_SECONDS);
  const result = lease === undefined ? await withoutLease(run) : await underLease(run, lease);
  if (result.delayMs !== undefined) await jobs.send(id, result.delayMs);
  return result;
}

/** Its holder may be dead: then this message is the only one that goes on with the job. */
async function withoutLease(run: Run): Promise<RunResult> {
  return (await readJob(run)) === undefined
    ? { code: 'AlreadyFinished' }
    : { code: 'HeldElsewhere', delayMs: JOB_LEASE_SECONDS * 1000 };
}

/** Gives back the lease, and leaves no timer, however the run ends. */
async function underLease(run: Run, lease: UploadLease): Promise<RunResult> {
  const { uploads, closing } = run.dependencies;
  const deadline = startDeadline(JOB_RUN_MS);
  closing.addEventListener('abort', deadline.cancel);
  if (closing.aborted) deadline.cancel();
  try {
    const options = { renewEveryMs: JOB_LEASE_RENEW_MS, onLost: deadline.cancel };
    return await withLease(uploads, lease, options, async () => {
      const stored = await readJob(run);
      return stored === undefined ? { code: 'AlreadyFinished' } : await goOn(run, stored, lease, deadline);
    });
  } finally {
    closing.removeEventListener('abort', deadline.cancel);
    deadline.end();
  }
}

/** Undefined: there is no such job, or it is over. */
async function readJob({ id, logEntry, dependencies }: Run): Promise<StoredJob | undefined> {
  const stored = await dependencies.uploads.read(id);
  logEntry.endStage('store');
  if (stored === undefined) return undefined;
  logUpload(stored, logEntry);
  return isJob(stored) && stored.record.state.status === 'uploading' ? stored : undefined;
}

async function goOn(run: Run, stored: StoredJob, lease: UploadLease, deadline: Deadline): Promise<RunResult> {
  const { kind, logEntry, context, dependencies, open } = run;
  const { job: part } = stored.record;
  const earlyMs = waitMs(Date.parse(part.notBefore), part);
  if (earlyMs > 0) return { code: 'TooEarly', delayMs: earlyMs };
  const job = await loadJob(stored, lease, deadline, logEntry, context, dependencies, open);
  try {
    return await attempt(job, part, kind);
  } catch (error) {
    if (!(error instanceof UploadConflict)) throw error;
    return await afterConflict(job.progress);
  } finally {
    logEntry.offset = job.progress.record.offset;
  }
}

/** How long to wait until a moment, in epoch milliseconds: no longer than to the job's end, which a message must see. */
function waitMs(until: number, { endsAt }: JobPart): number {
  return Math.max(0, Math.min(until, Date.parse(endsAt)) - Date.now());
}

/** @throws UploadConflict where the job is no longer this run's, ServiceError StorageUnavailable */
async function attempt(job: LoadedJob, part: JobPart, kind: JobMessageKind): Promise<RunResult> {
  const { progress, uploadContext } = job;
  const { attempts, endsAt, lastReason } = part;
  if (Date.now() >= Date.parse(endsAt)) {
    return failJob(job, jobFailed('The time for the job has passed.', lastReason));
  }
  if (attempts >= MAX_JOB_ATTEMPTS) {
    return failJob(job, jobFailed(`${attempts} attempts in a row came to nothing.`, lastReason));
  }
  // Written before the work: a run that takes its worker down counts too.
  await progress.moveJob({ attempts: attempts + 1, wakeUps: 0 });
  if (kind === 'poison') return putOff(progress, part, BROKEN_OFF, undefined);
  try {
    const { location } = await transferFile(job);
    await progress.complete(location);
    return { code: 'Completed' };
  } catch (error) {
    if (error instanceof UploadConflict) throw error;
    if (uploadContext.deadline.signal.aborted) return { code: 'Continued', delayMs: 0 };
    const failure = jobFailureOf(error, job.sourceAskedMs());
    return failure.kind === 'final'
      ? failJob(job, failure.error, error)
      : putOff(progress, part, failure.reason, failure.askedMs, error);
  }
}

const BROKEN_OFF: JobReason = { code: 'InternalError', message: 'The worker of the job broke off.' };

/** The wait that was asked for is no failed attempt. One of no time is as long as the shortest of ours: a queue must not turn at full speed. */
async function putOff(
  progress: StoredProgress,
  job: JobPart,
  lastReason: JobReason,
  askedMs: number | undefined,
  error?: unknown,
): Promise<RunResult> {
  const begun = progress.record.job?.attempts ?? 0;
  const attempts = askedMs === undefined ? begun : Math.max(0, begun - 1);
  const ownMs = Math.min(JOB_RETRY_BASE_MS * 2 ** Math.max(0, begun - 1), MAX_JOB_RETRY_MS);
  const now = Date.now();
  const delayMs = waitMs(now + (askedMs === undefined ? ownMs : Math.max(askedMs, JOB_RETRY_BASE_MS)), job);
  await progress.moveJob({ attempts, lastReason, notBefore: new Date(now + delayMs).toISOString() });
  return { code: 'Postponed', reason: lastReason.code, delayMs, error };
}

/** Cancelled, or with another worker, or written by nobody who goes on with it. */
async function afterConflict(progress: StoredProgress): Promise<RunResult> {
  await progress.refresh();
  const { record, isLeased } = progress.upload;
  if (record.state.status !== 'uploading') return { code: 'AlreadyFinished' };
  return isLeased ? { code: 'HeldElsewhere', delayMs: JOB_LEASE_SECONDS * 1000 } : { code: 'Continued', delayMs: 0 };
}

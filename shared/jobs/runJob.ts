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
import { RecordConflict, type RecordLease } from '../storage/recordStore.ts';
import { withLease } from '../storage/withLease.ts';
import { jobFailed, jobFailureOf } from './jobErrors.ts';
import { type JobOutcome, jobLine } from './jobLog.ts';
import type { JobProgress } from './jobProgress.ts';
import type { JobQueue } from './jobQueue.ts';
import { currentFile, type JobReason, type JobRecord, type StoredJob } from './jobRecord.ts';
import { failJob, type LoadedJob, loadJob } from './loadJob.ts';
import { transferFile } from './transferFile.ts';

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
  const { config } = dependencies;
  const { queue } = dependencies.jobs;
  const id = queue?.idIn(message);
  const logEntry = new LogEntry('runJob');
  let outcome: JobOutcome = { code: 'MessageRefused' };
  if (queue !== undefined && id !== undefined) {
    logEntry.upload = hashUploadId(id);
    try {
      outcome = await runOwn({ id, kind, queue, logEntry, context, dependencies, open });
    } catch (error) {
      outcome = await postponed(id, queue, error);
    }
  }
  context.log(jobLine(logEntry, context, outcome, kind === 'poison', config.logMailbox));
  if (outcome.code === 'Aborted') throw aborted();
}

/** Where the store of records is out of reach, or something unforeseen happened: by a new message, or else by the host's own. */
async function postponed(id: string, queue: JobQueue, error: unknown): Promise<JobOutcome> {
  try {
    await queue.send(id, JOB_STORAGE_RETRY_MS);
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
  readonly queue: JobQueue;
  readonly logEntry: LogEntry;
  readonly context: InvocationContext;
  readonly dependencies: Dependencies;
  readonly open: typeof openUrl;
}

/** A run's outcome; with `delayMs` the job is not over, and a message is to come back for it. */
type RunResult = JobOutcome & { readonly delayMs?: number };

async function runOwn(run: Run): Promise<JobOutcome> {
  const { id, queue, dependencies } = run;
  const lease = await dependencies.jobs.store.acquireLease(id, JOB_LEASE_SECONDS);
  const result = lease === undefined ? await withoutLease(run) : await underLease(run, lease);
  if (result.delayMs !== undefined) await queue.send(id, result.delayMs);
  return result;
}

/** Its holder may be dead: then this message is the only one that goes on with the job. */
async function withoutLease(run: Run): Promise<RunResult> {
  return (await readJob(run)) === undefined
    ? { code: 'AlreadyFinished' }
    : { code: 'HeldElsewhere', delayMs: JOB_LEASE_SECONDS * 1000 };
}

/** Gives back the lease, and leaves no timer, however the run ends. */
async function underLease(run: Run, lease: RecordLease): Promise<RunResult> {
  const { jobs, closing } = run.dependencies;
  const deadline = startDeadline(JOB_RUN_MS);
  closing.addEventListener('abort', deadline.cancel);
  if (closing.aborted) deadline.cancel();
  try {
    const options = { renewEveryMs: JOB_LEASE_RENEW_MS, onLost: deadline.cancel };
    return await withLease(jobs.store, lease, options, async () => {
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
  const stored = await dependencies.jobs.store.read(id);
  logEntry.endStage('store');
  if (stored === undefined) return undefined;
  logEntry.caller = stored.record.caller;
  logEntry.actsAs = 'app';
  logEntry.addTransfer(currentFile(stored.record));
  return stored.record.state.status === 'running' ? stored : undefined;
}

async function goOn(run: Run, stored: StoredJob, lease: RecordLease, deadline: Deadline): Promise<RunResult> {
  const { kind, logEntry, context, dependencies, open } = run;
  const { record } = stored;
  const earlyMs = waitMs(Date.parse(record.notBefore), record);
  if (earlyMs > 0) return { code: 'TooEarly', delayMs: earlyMs };
  const job = await loadJob(stored, { lease, deadline, logEntry, context, open }, dependencies);
  try {
    return await attempt(job, record, kind);
  } catch (error) {
    if (!(error instanceof RecordConflict)) throw error;
    return await afterConflict(job.progress);
  } finally {
    logEntry.offset = job.progress.transfer.offset;
  }
}

/** How long to wait until a moment, in epoch milliseconds: no longer than to the job's end, which a message must see. */
function waitMs(until: number, { endsAt }: Pick<JobRecord, 'endsAt'>): number {
  return Math.max(0, Math.min(until, Date.parse(endsAt)) - Date.now());
}

/** @throws RecordConflict where the job is no longer this run's, ServiceError StorageUnavailable */
async function attempt(job: LoadedJob, record: JobRecord, kind: JobMessageKind): Promise<RunResult> {
  const { progress, uploadContext } = job;
  const { attempts, endsAt, lastReason } = record;
  if (Date.now() >= Date.parse(endsAt)) {
    return failJob(job, jobFailed('The timeout of the job has passed.', lastReason));
  }
  if (attempts >= MAX_JOB_ATTEMPTS) {
    return failJob(job, jobFailed(`${attempts} attempts in a row came to nothing.`, lastReason));
  }
  // Written before the work: a run that takes its worker down counts too.
  await progress.advance({ attempts: attempts + 1, wakeUps: 0 });
  if (kind === 'poison') return putOff(progress, record, BROKEN_OFF, undefined);
  try {
    const { location } = await transferFile(job);
    await progress.attached(location);
    if (progress.record.state.status === 'completed') return { code: 'Completed' };
    return { code: 'Continued', delayMs: 0 }; // The next file has a run of its own.
  } catch (error) {
    if (error instanceof RecordConflict) throw error;
    if (uploadContext.deadline.signal.aborted) return { code: 'Continued', delayMs: 0 };
    const failure = jobFailureOf(error, job.sourceRetryAfterMs());
    return failure.kind === 'final'
      ? failJob(job, failure.error, error)
      : putOff(progress, record, failure.reason, failure.askedMs, error);
  }
}

const BROKEN_OFF: JobReason = { code: 'InternalError', message: 'The worker of the job broke off.' };

/** The wait that was asked for is no failed attempt. One of no time is as long as the shortest of ours: a queue must not turn at full speed. */
async function putOff(
  progress: JobProgress,
  record: JobRecord,
  lastReason: JobReason,
  askedMs: number | undefined,
  error?: unknown,
): Promise<RunResult> {
  const begun = progress.record.attempts;
  const attempts = askedMs === undefined ? begun : Math.max(0, begun - 1);
  const ownMs = Math.min(JOB_RETRY_BASE_MS * 2 ** Math.max(0, begun - 1), MAX_JOB_RETRY_MS);
  const now = Date.now();
  const delayMs = waitMs(now + (askedMs === undefined ? ownMs : Math.max(askedMs, JOB_RETRY_BASE_MS)), record);
  await progress.advance({ attempts, lastReason, notBefore: new Date(now + delayMs).toISOString() });
  return { code: 'Postponed', reason: lastReason.code, delayMs, error };
}

/** Cancelled, or with another worker, or written by nobody who goes on with it. */
async function afterConflict(progress: JobProgress): Promise<RunResult> {
  await progress.refresh();
  const { record, isLeased } = progress.stored;
  if (record.state.status !== 'running') return { code: 'AlreadyFinished' };
  return isLeased ? { code: 'HeldElsewhere', delayMs: JOB_LEASE_SECONDS * 1000 } : { code: 'Continued', delayMs: 0 };
}

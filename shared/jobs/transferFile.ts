import { MAX_JOB_SESSIONS, MIN_LOOKS_BEFORE_RESTART, SESSION_FROM_BYTES } from '../common/limits.ts';
import { ServiceError } from '../errors.ts';
import { GraphError, isRefusal } from '../graph/graphError.ts';
import { readWhole } from '../sources/readWhole.ts';
import type { UrlSource } from '../sources/urlSource.ts';
import { ChunkBuffer } from '../transfer/chunkBuffer.ts';
import { isTooLongForOneCall, isTooShortForSession, postAttachment } from '../transfer/smallAttachment.ts';
import { endSession } from '../transfer/uploadContext.ts';
import { type Attached, type RangeOutcome, uploadRange } from '../transfer/uploadRange.ts';
import type { LoadedJob } from './loadJob.ts';

/**
 * Goes on with a job from what its record says to the attachment. Before anything is sent the item is asked for an attachment
 * that may be there already. A session that Graph has ended is replaced, and the file sent from its start.
 *
 * @throws GraphError, ServiceError of every stage, UploadConflict where the job is no longer this run's
 */
export async function transferFile(job: LoadedJob): Promise<Attached> {
  const { progress } = job;
  const there = progress.mayBeAttached ? await progress.findAttachment() : undefined;
  if (there !== undefined) return there;
  const isSmall = progress.transfer.attachment.sizeBytes < SESSION_FROM_BYTES;
  if (progress.transfer.session === undefined && isSmall) {
    const attached = await putSmallFile(job);
    if (attached !== undefined) return attached;
  }
  return throughSessions(job);
}

/** A small file goes up in one call. Undefined where Graph wants a session for it: tenants differ in where that begins. */
async function putSmallFile(job: LoadedJob): Promise<Attached | undefined> {
  const { progress, item } = job;
  const { attachment } = progress.transfer;
  const chunks = await readAll(job);
  await progress.announce(attachment.sizeBytes);
  try {
    const { id } = await postAttachment(item, progress.transfer, chunks);
    return { kind: 'attached', location: item.locationOf(id) };
  } catch (error) {
    if (isRefusal(error)) await progress.refused();
    if (isTooLongForOneCall(error, attachment)) return undefined;
    throw error;
  }
}

async function readAll({ openSource, uploadContext }: LoadedJob): Promise<readonly Buffer[]> {
  const source = await openSource(0);
  try {
    return await readWhole(source, uploadContext.deadline.signal);
  } finally {
    source.close();
  }
}

async function throughSessions(job: LoadedJob): Promise<Attached> {
  const { progress } = job;
  for (let lost = 0; ; lost += 1) {
    if (progress.transfer.session === undefined) {
      const attached = await openFirst(job);
      if (attached !== undefined) return attached;
    }
    const outcome = await sendRest(job);
    if (outcome.kind === 'attached') return outcome;
    if (outcome.kind === 'held') {
      throw new ServiceError('GraphAnswerInvalid', 'Graph took the whole file and attached nothing.');
    }
    const failure = new GraphError(outcome.response);
    if (!isSessionLost(outcome, progress)) throw failure;
    // The item may not show yet what it has.
    if (progress.mayBeAttached && progress.record.attempts < MIN_LOOKS_BEFORE_RESTART) {
      throw new ServiceError('GraphAnswerInvalid', 'Graph has not said what became of the last chunk.', {
        cause: failure,
      });
    }
    if (lost > 0) {
      throw new ServiceError('GraphAnswerInvalid', 'Graph does not know the session that it has opened.', {
        cause: failure,
      });
    }
    await reopen(job);
  }
}

/** @returns the attachment, where Graph takes the file in one call alone */
async function openFirst(job: LoadedJob): Promise<Attached | undefined> {
  try {
    await job.progress.openSession();
    return undefined;
  } catch (error) {
    if (!isTooShortForSession(error, job.progress.transfer.attachment)) throw error;
    const attached = await putSmallFile(job);
    if (attached === undefined) throw error;
    return attached;
  }
}

async function reopen({ progress, uploadContext }: LoadedJob): Promise<void> {
  const { sessionsOpened } = progress.transfer;
  if (sessionsOpened >= MAX_JOB_SESSIONS) {
    throw new ServiceError('JobFailed', `The file was begun ${sessionsOpened} times and never went through.`);
  }
  await endSession(uploadContext);
  await progress.openSession();
}

async function sendRest(job: LoadedJob): Promise<RangeOutcome> {
  const { progress, uploadContext } = job;
  const source = await openRest(job);
  const { offset, attachment } = progress.transfer;
  const total = attachment.sizeBytes;
  try {
    return await uploadRange(
      uploadContext,
      { first: offset, last: total - 1, total },
      new ChunkBuffer(source),
      progress,
    );
  } finally {
    source.close();
  }
}

/** The source from what Graph holds on. One that cannot be read from the middle is read from its start, into a new session. */
async function openRest(job: LoadedJob): Promise<UrlSource> {
  const { offset, etag } = job.progress.transfer;
  if (offset === 0) return job.openSource(0);
  if (etag !== undefined) {
    try {
      return await job.openSource(offset);
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== 'SourceUnusable') throw error;
    }
  }
  await reopen(job);
  return job.openSource(0);
}

/** Outlook answers 401 where its own token in the uploadUrl has run out; where ours is at fault, a new session is no help. */
function isSessionLost(
  { response: { status } }: Extract<RangeOutcome, { kind: 'refused' }>,
  { transfer }: LoadedJob['progress'],
): boolean {
  return [404, 410, 416].includes(status) || (status === 401 && transfer.target.kind !== 'todoTask');
}

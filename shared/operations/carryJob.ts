import { ServiceError } from '../errors.ts';
import { MAX_JOB_SESSIONS, MIN_LOOKS_BEFORE_RESTART, SESSION_FROM_BYTES } from '../limits.ts';
import type { AddressSource } from '../source/addressSource.ts';
import { readWhole } from '../source/readWhole.ts';
import { addWhole, isTooLongForOneCall, isTooShortForSession } from '../transfer/addWhole.ts';
import { ChunkBuffer } from '../transfer/chunkBuffer.ts';
import type { GraphItem } from '../transfer/graphItem.ts';
import type { RecordedTransfer } from '../transfer/recordedTransfer.ts';
import { endSession, type Sending } from '../transfer/sending.ts';
import { type Attached, type RangeOutcome, sendRange } from '../transfer/sendRange.ts';
import { isRefusal, UpstreamFailure } from '../transfer/upstreamFailure.ts';

/** A job that a run has taken up. */
export interface JobUnderWay {
  readonly transfer: RecordedTransfer;
  readonly item: GraphItem;
  readonly sending: Sending;
  /** The file from an offset on, as it was when the job was asked for. */
  openSource(offset: number): Promise<AddressSource>;
  /** How long the source has asked to wait, where that is more than a run waits. */
  sourceAskedMs(): number | undefined;
}

/**
 * Goes on with a job from what its record says to the attachment. Before anything is sent the item is asked for an attachment
 * that may be there already. A session that Graph has ended is replaced, and the file sent from its start.
 *
 * @throws UpstreamFailure, ServiceError of every stage, UploadConflict where the job is no longer this run's
 */
export async function carryJob(job: JobUnderWay): Promise<Attached> {
  const { transfer } = job;
  const there = transfer.mayBeAttached ? await transfer.findAttachment() : undefined;
  if (there !== undefined) return there;
  const isSmall = transfer.record.attachment.sizeBytes < SESSION_FROM_BYTES;
  if (transfer.record.session === undefined && isSmall) {
    const attached = await sendWhole(job);
    if (attached !== undefined) return attached;
  }
  return throughSessions(job);
}

/** A small file goes up in one call. Undefined where Graph wants a session for it: tenants differ in where that begins. */
async function sendWhole(job: JobUnderWay): Promise<Attached | undefined> {
  const { transfer, item } = job;
  const { attachment } = transfer.record;
  const chunks = await readAll(job);
  await transfer.intend(attachment.sizeBytes);
  try {
    const { id } = await addWhole(item, transfer.record, chunks);
    return { kind: 'attached', location: item.locationOf(id) };
  } catch (error) {
    if (isRefusal(error)) await transfer.refused();
    if (isTooLongForOneCall(error, attachment)) return undefined;
    throw error;
  }
}

async function readAll({ openSource, sending }: JobUnderWay): Promise<readonly Buffer[]> {
  const source = await openSource(0);
  try {
    return await readWhole(source, sending.deadline.signal);
  } finally {
    source.close();
  }
}

async function throughSessions(job: JobUnderWay): Promise<Attached> {
  const { transfer } = job;
  for (let lost = 0; ; lost += 1) {
    if (transfer.record.session === undefined) {
      const attached = await openFirst(job);
      if (attached !== undefined) return attached;
    }
    const outcome = await sendRest(job);
    if (outcome.kind === 'attached') return outcome;
    if (outcome.kind === 'held') {
      throw new ServiceError('GraphAnswerInvalid', 'Graph took the whole file and attached nothing.');
    }
    const failure = new UpstreamFailure(outcome.answer);
    if (!isSessionLost(outcome, transfer)) throw failure;
    const { job: part } = transfer.record;
    // The item may not show yet what it has.
    if (transfer.mayBeAttached && part !== undefined && part.attempts < MIN_LOOKS_BEFORE_RESTART) {
      throw new ServiceError('GraphAnswerInvalid', 'Graph has not said what became of the last piece.', {
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
async function openFirst(job: JobUnderWay): Promise<Attached | undefined> {
  try {
    await job.transfer.openSession();
    return undefined;
  } catch (error) {
    if (!isTooShortForSession(error, job.transfer.record.attachment)) throw error;
    const attached = await sendWhole(job);
    if (attached === undefined) throw error;
    return attached;
  }
}

async function reopen({ transfer, sending }: JobUnderWay): Promise<void> {
  const { sessionsOpened } = transfer.record;
  if (sessionsOpened >= MAX_JOB_SESSIONS) {
    throw new ServiceError('JobFailed', `The file was begun ${sessionsOpened} times and never went through.`);
  }
  await endSession(sending);
  await transfer.openSession();
}

async function sendRest(job: JobUnderWay): Promise<RangeOutcome> {
  const { transfer, sending } = job;
  const source = await openRest(job);
  const { offset, attachment } = transfer.record;
  const total = attachment.sizeBytes;
  try {
    return await sendRange(sending, { first: offset, last: total - 1, total }, new ChunkBuffer(source), transfer);
  } finally {
    source.close();
  }
}

/** The source from what Graph holds on. One that cannot be read from the middle is read from its start, into a new session. */
async function openRest(job: JobUnderWay): Promise<AddressSource> {
  const { offset, job: part } = job.transfer.record;
  if (offset === 0) return job.openSource(0);
  if (part?.etag !== undefined) {
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
  { answer: { status } }: Extract<RangeOutcome, { kind: 'refused' }>,
  { record }: RecordedTransfer,
): boolean {
  return [404, 410, 416].includes(status) || (status === 401 && record.target.kind !== 'todoTask');
}

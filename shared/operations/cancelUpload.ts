import type { Answer } from '../answer.ts';
import { ServiceError } from '../errors.ts';
import { JOB_POLL_SECONDS } from '../limits.ts';
import { endSession } from '../transfer/sending.ts';
import type { StoredUpload } from '../upload/uploadStore.ts';
import type { Exchange } from './answerOperation.ts';
import type { Collaborators } from './collaborators.ts';
import { isJob } from './storedJob.ts';
import { readUpload, takeUpUpload } from './takeUpUpload.ts';

const CANCELLED: Answer = { status: 204, headers: {}, body: '' };

/**
 * `DELETE` on an upload's address: marks the upload, so that nobody goes on with it, and ends the session at Graph. It does not
 * wait for a range that is under way. Where that range was faster, the file is attached, and the answer says so.
 *
 * @throws ServiceError UploadNotFound, UploadCompleted; where it cannot be known which was faster, what kept Graph from saying
 *   so: the same request may be sent again
 */
export async function cancelUpload(exchange: Exchange, id: string, collaborators: Collaborators): Promise<Answer> {
  const stored = await readUpload(id, exchange, collaborators);
  const { transfer, sending } = await takeUpUpload(stored, exchange, collaborators);
  await transfer.cancel(isJob(stored) ? (current) => breakIn(current, collaborators) : undefined);
  const { status } = transfer.record.state;
  if (status === 'completed') throw completed();
  if (status === 'failed') return CANCELLED;
  // A small file goes up in one call and has no session: the item says what became of it.
  const hasNone = transfer.record.session === undefined;
  const session = hasNone ? ({ kind: 'gone' } as const) : await endSession(sending);
  if (session.kind === 'ended' || !transfer.mayBeAttached) return CANCELLED;
  const attached = await transfer.findAttachment();
  if (attached !== undefined) {
    await transfer.complete(attached.location);
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
async function breakIn({ id, isLeased, record }: StoredUpload, { uploads }: Collaborators): Promise<void> {
  const isOnItsWay = record.session === undefined && record.mayHold.length > 0;
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

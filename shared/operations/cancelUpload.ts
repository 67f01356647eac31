import type { Answer } from '../answer.ts';
import { ServiceError } from '../errors.ts';
import { endSession } from '../transfer/endSession.ts';
import type { Exchange } from './answerOperation.ts';
import type { Collaborators } from './collaborators.ts';
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
  await transfer.cancel();
  const { status } = transfer.record.state;
  if (status === 'completed') throw completed();
  if (status === 'failed') return CANCELLED;
  const session = await endSession(sending);
  if (session.kind === 'ended' || !transfer.mayBeAttached) return CANCELLED;
  const attached = await transfer.findAttachment();
  if (attached !== undefined) {
    await transfer.complete(attached.location);
    throw completed();
  }
  if (session.kind === 'unknown') throw session.failure;
  return CANCELLED;
}

function completed(): ServiceError {
  return new ServiceError('UploadCompleted', 'The upload is completed: the attachment is there.');
}

import type { Answer } from '../answer.ts';
import { ServiceError } from '../errors.ts';
import type { RecordedTransfer } from '../transfer/recordedTransfer.ts';
import { UploadConflict } from '../upload/uploadStore.ts';
import type { Exchange } from './answerOperation.ts';
import type { Collaborators } from './collaborators.ts';
import { readUpload, takeUpUpload, type UploadUnderWay } from './takeUpUpload.ts';

const CANCELLED: Answer = { status: 204, headers: {}, body: '' };

/** A range that is under way writes at most a few times before it sees the mark. */
const MAX_TRIES = 5;

/**
 * `DELETE` on an upload's address: marks the upload, so that nobody goes on with it, and ends the session at Graph. It does not
 * wait for a range that is under way. Where that range was faster, the file is attached, and the answer says so.
 *
 * @throws ServiceError UploadNotFound, UploadCompleted
 */
export async function cancelUpload(exchange: Exchange, id: string, collaborators: Collaborators): Promise<Answer> {
  const stored = await readUpload(id, exchange, collaborators);
  const upload = await takeUpUpload(stored, exchange, collaborators);
  const { transfer } = upload;
  if (!(await mark(transfer))) return CANCELLED;
  const isEnded = await endSession(exchange, upload);
  if (isEnded || transfer.sentTo < transfer.record.attachment.sizeBytes) return CANCELLED;
  const attached = await transfer.findAttachment();
  if (attached === undefined) return CANCELLED;
  await transfer.complete(attached.location);
  throw completed();
}

/** Whether there is a session left to end. */
async function mark(transfer: RecordedTransfer): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    const { status } = transfer.record.state;
    if (status === 'completed') throw completed();
    if (status !== 'uploading') return false;
    try {
      await transfer.cancel();
      return true;
    } catch (error) {
      if (!(error instanceof UploadConflict) || tries === MAX_TRIES) throw error;
      await transfer.refresh();
    }
  }
}

/** Whether Graph says that it has ended the session: then nothing is attached by it. */
async function endSession({ deadline }: Exchange, { sending }: UploadUnderWay): Promise<boolean> {
  const { result } = await sending.host.remove(sending.address(), deadline.signal, await sending.token());
  const removed = await result;
  return removed.kind === 'answer' && removed.answer.status === 204;
}

function completed(): ServiceError {
  return new ServiceError('UploadCompleted', 'The upload is completed: the attachment is there.');
}

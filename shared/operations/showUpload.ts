import type { Answer } from '../answer.ts';
import type { UploadRecord } from '../upload/uploadRecord.ts';
import type { Exchange } from './answerOperation.ts';
import type { Collaborators } from './collaborators.ts';
import { showJob } from './showJob.ts';
import { isJob } from './storedJob.ts';
import { readUpload, takeUpUpload } from './takeUpUpload.ts';
import { progressOf } from './uploadForm.ts';

/**
 * `GET` on an upload's address: how far it is, in the members of Graph's uploadSession, and what became of it. Where the last
 * answer of Graph was lost, the item says whether the file is attached.
 */
export async function showUpload(exchange: Exchange, id: string, collaborators: Collaborators): Promise<Answer> {
  const stored = await readUpload(id, exchange, collaborators);
  if (isJob(stored)) return showJob(exchange, stored, collaborators);
  const { transfer } = await takeUpUpload(stored, exchange, collaborators);
  if (transfer.mayBeAttached) {
    // Where Graph cannot be asked, what is known is shown.
    const attached = await transfer.findAttachment().catch(() => undefined);
    if (attached !== undefined) await transfer.complete(attached.location);
  }
  return shown(transfer.record);
}

function shown(record: UploadRecord): Answer {
  const { state } = record;
  const outcome =
    state.status === 'completed'
      ? { attachmentId: state.attachmentId, location: state.location }
      : state.status === 'failed'
        ? { error: { code: state.error.code, message: state.error.message } }
        : {};
  return {
    status: 200,
    headers: {},
    body: JSON.stringify({ ...progressOf(record), status: state.status, ...outcome }),
  };
}

import type { Dependencies } from '../dependencies.ts';
import type { RequestContext } from '../handleRequest.ts';
import { getJob } from '../jobs/getJob.ts';
import { isJob } from '../jobs/storedJob.ts';
import type { ResponseData } from '../server/response.ts';
import { loadUpload, readUpload } from './loadUpload.ts';
import { progressOf } from './responseFormat.ts';
import type { UploadRecord } from './uploadRecord.ts';

/**
 * `GET` on an upload's address: how far it is, in the members of Graph's uploadSession, and what became of it. Where the last
 * answer of Graph was lost, the item says whether the file is attached.
 */
export async function getUpload(
  context: RequestContext,
  id: string,
  dependencies: Dependencies,
): Promise<ResponseData> {
  const stored = await readUpload(id, context, dependencies);
  if (isJob(stored)) return getJob(context, stored, dependencies);
  const { progress } = await loadUpload(stored, context, dependencies);
  if (progress.mayBeAttached) {
    // Where Graph cannot be asked, what is known is shown.
    const attached = await progress.findAttachment().catch(() => undefined);
    if (attached !== undefined) await progress.complete(attached.location);
  }
  return shown(progress.record);
}

function shown(record: UploadRecord): ResponseData {
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

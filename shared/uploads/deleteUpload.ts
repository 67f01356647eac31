import type { Dependencies, RequestContext } from '../dependencies.ts';
import { ServiceError } from '../errors.ts';
import type { ResponseData } from '../server/response.ts';
import { loadUpload, readUpload } from './loadUpload.ts';

const CANCELLED: ResponseData = { status: 204, headers: {}, body: '' };

/**
 * `DELETE` on an upload's URL: marks the upload, so that nobody continues it, and ends the session at Graph. It does not wait for
 * a range that is being sent. If that range was faster, the file is attached, and the response says so.
 *
 * @throws ServiceError UploadNotFound, UploadCompleted; if it is unknown which was faster, the reason why Graph did not say so:
 *   the same request may be sent again
 */
export async function deleteUpload(
  context: RequestContext,
  id: string,
  dependencies: Dependencies,
): Promise<ResponseData> {
  const stored = await readUpload(id, context, dependencies);
  const { progress, uploadContext } = await loadUpload(stored, context, dependencies);
  await progress.cancel();
  const { status } = progress.record.state;
  if (status === 'completed') throw uploadCompleted();
  if (status === 'failed') return CANCELLED;
  const attached = await progress.end(uploadContext);
  if (attached === undefined) return CANCELLED;
  await progress.complete(attached.location);
  throw uploadCompleted();
}

function uploadCompleted(): ServiceError {
  return new ServiceError('UploadCompleted', 'The upload is completed: the attachment is there.');
}

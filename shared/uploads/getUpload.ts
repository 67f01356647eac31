import type { Dependencies, RequestContext } from '../dependencies.ts';
import type { ResponseData } from '../server/response.ts';
import { loadUpload, readUpload } from './loadUpload.ts';
import { progressOf } from './responseFormat.ts';
import type { UploadState } from './uploadRecord.ts';

/**
 * `GET` on an upload's URL: its progress, in the members of Graph's uploadSession, and its outcome. If the last response of Graph
 * was lost, the item shows whether the file is attached.
 */
export async function getUpload(
  context: RequestContext,
  id: string,
  dependencies: Dependencies,
): Promise<ResponseData> {
  const stored = await readUpload(id, context, dependencies);
  const { progress } = await loadUpload(stored, context, dependencies);
  if (progress.mayBeAttached) {
    // If Graph does not respond, the response shows what is known.
    const attached = await progress.findAttachment().catch(() => undefined);
    if (attached !== undefined) await progress.complete(attached.location);
  }
  const { record } = progress;
  return { status: 200, headers: {}, body: JSON.stringify({ ...progressOf(record), ...outcomeOf(record.state) }) };
}

function outcomeOf(state: UploadState): Readonly<Record<string, unknown>> {
  const { status } = state;
  if (status === 'completed') return { status, attachmentId: state.attachmentId, location: state.location };
  if (status === 'failed') return { status, error: { code: state.error.code, message: state.error.message } };
  return { status };
}

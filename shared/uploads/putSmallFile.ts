import { ServiceError } from '../errors.ts';
import { isRefusal } from '../graph/graphError.ts';
import { createMemorySource } from '../sources/memorySource.ts';
import { ChunkBuffer } from '../transfer/chunkBuffer.ts';
import type { ByteRange } from '../transfer/contentRange.ts';
import { isTooLongForOneCall, postAttachment } from '../transfer/smallAttachment.ts';
import { type RangeOutcome, uploadRange } from '../transfer/uploadRange.ts';
import type { LoadedUpload } from './loadUpload.ts';

/**
 * A small file, for which no session was opened, goes up in one call. Graph would take that call again and again, so one sender
 * at a time makes it, in all instances, and writes what came of it before another may begin.
 *
 * @throws UploadConflict, ServiceError, GraphError: what may be answered otherwise when the same file comes again
 */
export function putSmallFile(
  range: ByteRange,
  upload: LoadedUpload,
  chunks: readonly Buffer[],
  signal: AbortSignal,
): Promise<RangeOutcome> {
  const { progress } = upload;
  return progress.withLease(signal, async () => {
    const outcome = await addOrSend(range, upload, chunks);
    if (outcome.kind === 'attached') await progress.complete(outcome.location);
    return outcome;
  });
}

/** @throws ServiceError InvalidRange */
export function requireSmallFile({ first, last, total }: ByteRange): void {
  if (first === 0 && last + 1 === total) return;
  throw new ServiceError('InvalidRange', 'A file that is attached in one call comes in one range.');
}

async function addOrSend(
  range: ByteRange,
  { progress, item, uploadContext }: LoadedUpload,
  chunks: readonly Buffer[],
): Promise<RangeOutcome> {
  const attached = progress.mayBeAttached ? await progress.findAttachment(Buffer.concat(chunks)) : undefined;
  if (attached !== undefined) return attached;
  if (progress.record.session === undefined) {
    await progress.announce(range.total);
    try {
      const { id } = await postAttachment(item, progress.record, chunks);
      return { kind: 'attached', location: item.locationOf(id) };
    } catch (error) {
      const isTooLong = isTooLongForOneCall(error, progress.record.attachment);
      if (!isTooLong || !(await progress.reopen())) return refusalIn(error);
    }
  }
  const reader = new ChunkBuffer(createMemorySource(chunks));
  await reader.skip(progress.record.offset, uploadContext.deadline.signal);
  return uploadRange(uploadContext, { ...range, first: progress.record.offset }, reader, progress);
}

/** @throws the error, where it is no refusal of Graph */
function refusalIn(error: unknown): RangeOutcome {
  if (isRefusal(error)) return { kind: 'refused', response: error.response };
  throw error;
}

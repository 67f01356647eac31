import { ServiceError } from '../errors.ts';
import { createMemorySource } from '../source/memorySource.ts';
import { addWhole, isTooLongForOneCall } from '../transfer/addWhole.ts';
import { ChunkBuffer } from '../transfer/chunkBuffer.ts';
import { type RangeOutcome, sendRange } from '../transfer/sendRange.ts';
import { isRefusal } from '../transfer/upstreamFailure.ts';
import type { ByteRange } from '../upload/byteRange.ts';
import type { UploadUnderWay } from './takeUpUpload.ts';

/**
 * A small file, for which no session was opened, goes up in one call. Graph would take that call again and again, so one sender
 * at a time makes it, in all instances, and writes what came of it before another may begin.
 *
 * @throws UploadConflict, ServiceError, UpstreamFailure: what may be answered otherwise when the same file comes again
 */
export function sendWhole(
  range: ByteRange,
  upload: UploadUnderWay,
  chunks: readonly Buffer[],
  signal: AbortSignal,
): Promise<RangeOutcome> {
  const { transfer } = upload;
  return transfer.alone(signal, async () => {
    const outcome = await addOrSend(range, upload, chunks);
    if (outcome.kind === 'attached') await transfer.complete(outcome.location);
    return outcome;
  });
}

/** @throws ServiceError InvalidRange */
export function requireWhole({ first, last, total }: ByteRange): void {
  if (first === 0 && last + 1 === total) return;
  throw new ServiceError('InvalidRange', 'A file that is attached in one call comes in one range.');
}

async function addOrSend(
  range: ByteRange,
  { transfer, item, sending }: UploadUnderWay,
  chunks: readonly Buffer[],
): Promise<RangeOutcome> {
  const attached = transfer.mayBeAttached ? await transfer.findAttachment(Buffer.concat(chunks)) : undefined;
  if (attached !== undefined) return attached;
  if (transfer.record.session === undefined) {
    await transfer.intend(range.total);
    try {
      const { id } = await addWhole(item, transfer.record, chunks);
      return { kind: 'attached', location: item.locationOf(id) };
    } catch (error) {
      const isTooLong = isTooLongForOneCall(error, transfer.record.attachment);
      if (!isTooLong || !(await transfer.reopen())) return refusalIn(error);
    }
  }
  const reader = new ChunkBuffer(createMemorySource(chunks));
  await reader.skip(transfer.record.offset, sending.deadline.signal);
  return sendRange(sending, { ...range, first: transfer.record.offset }, reader, transfer);
}

/** @throws the error, where it is no refusal of Graph */
function refusalIn(error: unknown): RangeOutcome {
  if (isRefusal(error)) return { kind: 'refused', answer: error.answer };
  throw error;
}

import { MAX_CHUNK_BYTES } from '../common/limits.ts';
import type { AttachmentsApi } from '../graph/attachmentsApi.ts';
import type { ResponseData } from '../server/response.ts';
import { type ByteRange, formatHeldRange, nextExpectedRanges } from '../transfer/contentRange.ts';
import { describeAttachment } from '../transfer/describeAttachment.ts';
import type { UploadRecord } from './uploadRecord.ts';

/** How an upload's progress is put to one kind of client. */
export interface ResponseFormat {
  /** Graph holds a part of the file. @param range what the request sent */
  held(record: UploadRecord, range: ByteRange): ResponseData;
  /** The file is attached; the record is completed. @param range what the request sent */
  attached(record: UploadRecord, range: ByteRange, item: AttachmentsApi): Promise<ResponseData>;
}

/**
 * As Graph puts it, in the forms that all stock upload clients take: closed ranges while it goes on, and at the end 201 with
 * Graph's Location and nothing else (with a body, one client does not look at the Location).
 */
export const UPLOAD_SESSION_FORMAT: ResponseFormat = {
  held: (record) => ({ status: 200, headers: {}, body: JSON.stringify(progressOf(record)) }),
  attached: async ({ state }) => {
    const location = state.status === 'completed' ? state.location : '';
    return { status: 201, headers: { location }, body: '' };
  },
};

/**
 * As the engine of Logic Apps demands it: 200 and what is held on each chunk, the last one included, which has the result. A
 * chunk that comes once more, from a transfer that the engine has begun twice, gets its own end in the answer: the engine does not take a
 * Range that ends behind what it has sent.
 */
export const CHUNKED_MESSAGE_FORMAT: ResponseFormat = {
  held: ({ offset }, { last }) => ({ status: 200, headers: chunkHeaders(Math.min(offset, last + 1)), body: '' }),
  attached: async (record, { last }, item) => ({
    status: 200,
    headers: chunkHeaders(last + 1),
    body: JSON.stringify(await describeAttachment({ ...record, attachmentId: attachmentIdOf(record) }, item)),
  }),
};

/** What is shown of an upload: the members of Graph's uploadSession that change. */
export function progressOf({ session, offset, attachment }: UploadRecord): Record<string, unknown> {
  return {
    expirationDateTime: session?.expirationDateTime,
    nextExpectedRanges: nextExpectedRanges(offset, attachment.sizeBytes),
  };
}

function attachmentIdOf({ state }: UploadRecord): string | undefined {
  return state.status === 'completed' ? state.attachmentId : undefined;
}

function chunkHeaders(offset: number): Record<string, string> {
  const range = formatHeldRange(offset);
  return { 'x-ms-chunk-size': String(MAX_CHUNK_BYTES), ...(range !== undefined && { range }) };
}

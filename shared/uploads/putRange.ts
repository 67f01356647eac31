import { type ConcurrencyLimiter, createConcurrencyLimiter } from '../common/concurrencyLimiter.ts';
import { MAX_SLICE_BYTES, MAX_WAITING_PER_UPLOAD } from '../common/limits.ts';
import type { Dependencies, RequestContext } from '../dependencies.ts';
import { ServiceError } from '../errors.ts';
import type { AttachmentsApi } from '../graph/attachmentsApi.ts';
import { GraphError } from '../graph/graphError.ts';
import { type GraphResponse, parseBody, uploadFailureOf } from '../graph/graphResponse.ts';
import type { IncomingRequest } from '../server/request.ts';
import { errorCode, type ResponseData, storedErrorResponse } from '../server/response.ts';
import { createRequestSource } from '../sources/bodySource.ts';
import { readWhole } from '../sources/readWhole.ts';
import { RecordConflict } from '../storage/recordStore.ts';
import { ChunkBuffer } from '../transfer/chunkBuffer.ts';
import { type ByteRange, lengthOf, locate, nextExpectedRanges, parseContentRange } from '../transfer/contentRange.ts';
import { type RangeOutcome, uploadRange } from '../transfer/uploadRange.ts';
import { type LoadedUpload, loadUpload, readUpload } from './loadUpload.ts';
import { putSmallFile, requireSmallFile } from './putSmallFile.ts';
import { CHUNKED_MESSAGE_FORMAT, type ResponseFormat, UPLOAD_SESSION_FORMAT } from './responseFormat.ts';
import type { UploadProgress } from './uploadProgress.ts';
import type { UploadRecord } from './uploadRecord.ts';

/**
 * A range of a file's bytes, in the form of an uploadSession (`PUT`) or of Logic Apps' chunks (`PATCH`). What is held already
 * is not sent again; what comes next goes on to Graph as it comes in.
 *
 * @throws ServiceError UploadNotFound, InvalidRange, RangeNotExpected, UploadCancelled, and those of the transfer
 */
export async function putRange(context: RequestContext, id: string, dependencies: Dependencies): Promise<ResponseData> {
  const leave = await dependencies.uploadLocks.enter(id, context.deadline.signal);
  try {
    const stored = await readUpload(id, context, dependencies);
    const range = checkRange(context.request, stored.record);
    context.logEntry.rangeBytes = lengthOf(range);
    const upload = await loadUpload(stored, context, dependencies);
    const settled = settledAnswer(upload.progress.record, range) ?? (await sendOn(context, range, upload));
    return await settled(formatOf(context.request), upload.item, context);
  } finally {
    leave();
  }
}

/** Logic Apps sends chunks with PATCH: learn.microsoft.com/azure/logic-apps/logic-apps-handle-large-messages */
function formatOf({ method }: IncomingRequest): ResponseFormat {
  return method === 'PATCH' ? CHUNKED_MESSAGE_FORMAT : UPLOAD_SESSION_FORMAT;
}

/** Sends the range, and gives the answer to what the upload has come to, by this sender or by another. */
async function sendOn(context: RequestContext, range: ByteRange, upload: LoadedUpload): Promise<SettledAnswer> {
  const { progress } = upload;
  try {
    const outcome = await sendBytes(context, range, upload);
    if (outcome.kind === 'refused') await refuse(progress, outcome.response);
    if (outcome.kind === 'attached') await progress.complete(outcome.location);
  } catch (error) {
    if (!(error instanceof RecordConflict)) throw error;
    // Another instance has moved the upload on, or it was cancelled: what is true now is the answer.
    await progress.refresh();
  } finally {
    context.logEntry.offset = progress.record.offset;
  }
  return settledAnswer(progress.record, range) ?? heldAnswer(progress.record, range);
}

/** One request at a time sends for an upload, in each instance. */
export function createUploadLocks(): ConcurrencyLimiter {
  return createConcurrencyLimiter(
    MAX_WAITING_PER_UPLOAD,
    1,
    () => new ServiceError('UploadBusy', 'Too many requests for this upload are waiting.'),
  );
}

/** @throws ServiceError InvalidRange */
function checkRange({ headers, body }: IncomingRequest, { attachment, state }: UploadRecord): ByteRange {
  const parsed = parseContentRange(headers.get('content-range') ?? undefined);
  if (parsed.kind === 'faulty') throw new ServiceError('InvalidRange', `${parsed.fault}.`);
  const { range } = parsed;
  const length = lengthOf(range);
  if (range.total !== attachment.sizeBytes) {
    const message = `Content-Range names a file of ${range.total} bytes; this upload is one of ${attachment.sizeBytes}.`;
    throw new ServiceError('InvalidRange', message);
  }
  if (length > MAX_SLICE_BYTES) {
    throw new ServiceError('InvalidRange', `A range has at most ${MAX_SLICE_BYTES} bytes; this one has ${length}.`);
  }
  // Python's upload task sends the last range of an attached file once more, without bytes where it is the only one.
  const isLengthAgreed = body.declaredBytes === undefined || body.declaredBytes === length;
  if (!isLengthAgreed && state.status !== 'completed') {
    const message = `The body has ${body.declaredBytes} bytes, the range ${length}.`;
    throw new ServiceError('InvalidRange', message);
  }
  return range;
}

type SettledAnswer = (form: ResponseFormat, item: AttachmentsApi, context: RequestContext) => Promise<ResponseData>;

/** The answer where nothing need be sent; undefined where the range goes on from what is held. */
function settledAnswer(record: UploadRecord, range: ByteRange): SettledAnswer | undefined {
  const { state } = record;
  switch (state.status) {
    case 'completed':
      return (form, item) => form.attached(record, range, item);
    case 'failed':
      return async (_form, _item, { info }) => storedErrorResponse(state.error, info, new Date());
    case 'cancelled':
      throw new ServiceError('UploadCancelled', 'The upload was cancelled.');
    case 'uploading':
      break;
  }
  const position = locate(range, record.offset);
  if (position.kind === 'held') return heldAnswer(record, range);
  if (position.kind === 'next') return undefined;
  const [expected] = nextExpectedRanges(record.offset, record.attachment.sizeBytes);
  throw new ServiceError('RangeNotExpected', `The range begins too far on; expected is ${expected}.`);
}

function heldAnswer(record: UploadRecord, range: ByteRange): SettledAnswer {
  return async (form) => form.held(record, range);
}

async function sendBytes(
  { request, deadline }: RequestContext,
  range: ByteRange,
  upload: LoadedUpload,
): Promise<RangeOutcome> {
  const { progress, uploadContext } = upload;
  const source = createRequestSource(request.body, lengthOf(range));
  const reader = new ChunkBuffer(source);
  const { offset, session } = progress.record;
  if (session === undefined) {
    requireSmallFile(range);
    const chunks = await readWhole(source, deadline.signal);
    return putSmallFile(range, upload, chunks, deadline.signal);
  }
  await reader.skip(offset - range.first, deadline.signal);
  return uploadRange(uploadContext, { ...range, first: offset }, reader, progress);
}

/** A token that Graph does not take, ours or the session's own, may be taken again; any other refusal is the end of the upload. */
async function refuse(progress: UploadProgress, response: GraphResponse): Promise<void> {
  if (response.status !== 401) return progress.fail(uploadFailureOf(response));
  if (progress.record.target.kind === 'todoTask') throw new GraphError(response);
  throw new ServiceError('GraphRejectedToken', 'Outlook does not take the token of this session; open a new one.', {
    cause: errorCode(parseBody(response.body)),
  });
}

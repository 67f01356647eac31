import { type Answer, errorCode, keptErrorAnswer } from '../answer.ts';
import { ServiceError } from '../errors.ts';
import type { UpstreamAnswer } from '../graph/exchange.ts';
import { createMailboxQueue, type MailboxQueue } from '../graph/mailboxQueue.ts';
import { parseBody } from '../graph/relay.ts';
import { MAX_SLICE_BYTES, MAX_WAITING_PER_UPLOAD } from '../limits.ts';
import type { IncomingRequest } from '../request/incomingRequest.ts';
import { readWhole } from '../source/readWhole.ts';
import { createRequestSource } from '../source/requestSource.ts';
import { ChunkBuffer } from '../transfer/chunkBuffer.ts';
import type { GraphItem } from '../transfer/graphItem.ts';
import type { RecordedTransfer } from '../transfer/recordedTransfer.ts';
import { type RangeOutcome, sendRange } from '../transfer/sendRange.ts';
import { UpstreamFailure } from '../transfer/upstreamFailure.ts';
import { type ByteRange, lengthOf, locate, nextExpectedRanges, parseContentRange } from '../upload/byteRange.ts';
import type { UploadRecord } from '../upload/uploadRecord.ts';
import { UploadConflict } from '../upload/uploadStore.ts';
import type { Exchange } from './answerOperation.ts';
import type { Collaborators } from './collaborators.ts';
import { failureOf } from './failureOf.ts';
import { requireWhole, sendWhole } from './sendWhole.ts';
import { isJob } from './storedJob.ts';
import { readUpload, takeUpUpload, type UploadUnderWay } from './takeUpUpload.ts';
import type { UploadForm } from './uploadForm.ts';

/**
 * A range of a file's bytes, in the form of an uploadSession (`PUT`) or of Logic Apps' chunks (`PATCH`). What is held already
 * is not sent again; what comes next goes on to Graph as it comes in.
 *
 * @throws ServiceError UploadNotFound, InvalidRange, RangeNotExpected, UploadCancelled, and those of the transfer
 */
export async function receiveRange(
  exchange: Exchange,
  id: string,
  form: UploadForm,
  collaborators: Collaborators,
): Promise<Answer> {
  const leave = await collaborators.turns.enter(id, exchange.deadline.signal);
  try {
    const stored = await readUpload(id, exchange, collaborators);
    if (isJob(stored)) throw bytesOfJob();
    const range = checkRange(exchange.request, stored.record);
    exchange.record.rangeBytes = lengthOf(range);
    const upload = await takeUpUpload(stored, exchange, collaborators);
    const settled = settledAnswer(upload.transfer.record, range) ?? (await sendOn(exchange, range, upload));
    return await settled(form, upload.item, exchange);
  } finally {
    leave();
  }
}

/** Sends the range, and gives the answer to what the upload has come to, by this sender or by another. */
async function sendOn(exchange: Exchange, range: ByteRange, upload: UploadUnderWay): Promise<SettledAnswer> {
  const { transfer } = upload;
  try {
    const outcome = await sendBytes(exchange, range, upload);
    if (outcome.kind === 'refused') await refuse(transfer, outcome.answer);
    if (outcome.kind === 'attached') await transfer.complete(outcome.location);
  } catch (error) {
    if (!(error instanceof UploadConflict)) throw error;
    // Another instance has moved the upload on, or it was cancelled: what is true now is the answer.
    await transfer.refresh();
  } finally {
    exchange.record.offset = transfer.record.offset;
  }
  return settledAnswer(transfer.record, range) ?? heldAnswer(transfer.record, range);
}

function bytesOfJob(): ServiceError {
  return new ServiceError('MethodNotAllowed', 'A job reads its file from an address; it takes GET and DELETE.', {
    headers: { allow: 'GET, DELETE' },
  });
}

/** One request at a time sends for an upload, in each instance. */
export function createUploadTurns(): MailboxQueue {
  return createMailboxQueue(
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

type SettledAnswer = (form: UploadForm, item: GraphItem, exchange: Exchange) => Promise<Answer>;

/** The answer where nothing need be sent; undefined where the range goes on from what is held. */
function settledAnswer(record: UploadRecord, range: ByteRange): SettledAnswer | undefined {
  const { state } = record;
  switch (state.status) {
    case 'completed':
      return (form, item) => form.attached(record, range, item);
    case 'failed':
      return async (_form, _item, { head }) => keptErrorAnswer(state.error, head, new Date());
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
  { request, deadline }: Exchange,
  range: ByteRange,
  upload: UploadUnderWay,
): Promise<RangeOutcome> {
  const { transfer, sending } = upload;
  const source = createRequestSource(request.body, lengthOf(range));
  const reader = new ChunkBuffer(source);
  const { offset, session } = transfer.record;
  if (session === undefined) {
    requireWhole(range);
    const chunks = await readWhole(source, deadline.signal);
    return sendWhole(range, upload, chunks, deadline.signal);
  }
  await reader.skip(offset - range.first, deadline.signal);
  return sendRange(sending, { ...range, first: offset }, reader, transfer);
}

/** A token that Graph does not take, ours or the session's own, may be taken again; any other refusal is the end of the upload. */
async function refuse(transfer: RecordedTransfer, answer: UpstreamAnswer): Promise<void> {
  if (answer.status !== 401) return transfer.fail(failureOf(answer));
  if (transfer.record.target.kind === 'todoTask') throw new UpstreamFailure(answer);
  throw new ServiceError('GraphRejectedToken', 'Outlook does not take the token of this session; open a new one.', {
    cause: errorCode(parseBody(answer.body)),
  });
}

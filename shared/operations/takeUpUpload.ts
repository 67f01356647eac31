import type { Deadline } from '../deadline.ts';
import { ServiceError } from '../errors.ts';
import { MAX_PIECE_RETRY_MS } from '../limits.ts';
import { hashUploadId } from '../log/mask.ts';
import type { RequestRecord } from '../log/requestRecord.ts';
import { createGraphItem, type GraphItem, type GraphItemOptions } from '../transfer/graphItem.ts';
import { RecordedTransfer } from '../transfer/recordedTransfer.ts';
import { createSending, type Sending } from '../transfer/sending.ts';
import type { StoredUpload, UploadLease } from '../upload/uploadStore.ts';
import type { Exchange } from './answerOperation.ts';
import type { Collaborators } from './collaborators.ts';
import { tokensForUpload } from './tokensForUpload.ts';

/** An upload that a request, or the run of a job, goes on with. */
export interface UploadUnderWay {
  readonly item: GraphItem;
  readonly transfer: RecordedTransfer;
  readonly sending: Sending;
}

/**
 * Reads the upload's record and notes it for the log.
 *
 * @throws ServiceError UploadNotFound, StorageUnavailable, StorageNotConfigured
 */
export async function readUpload(id: string, { record }: Exchange, { uploads }: Collaborators): Promise<StoredUpload> {
  record.upload = hashUploadId(id);
  const stored = await uploads.read(id);
  record.endStage('store');
  if (stored === undefined) throw new ServiceError('UploadNotFound', 'There is no such upload, or it has ended.');
  noteUpload(stored, record);
  return stored;
}

/** What the log says of an upload. */
export function noteUpload({ record: upload }: StoredUpload, record: RequestRecord): void {
  const { target, caller, actsFor, attachment, offset } = upload;
  record.caller = caller;
  record.actsAs = actsFor === undefined ? 'app' : 'user';
  record.kind = target.kind;
  record.sizeBytes = attachment.sizeBytes;
  record.offset = offset;
  if (target.owner.kind === 'group') record.group = target.owner.id;
  else record.mailbox = target.owner.id;
}

/**
 * What going on with an upload needs: its item at Graph, its account, and the way for its bytes.
 *
 * @throws ServiceError of a user's token, where bytes cannot be sent without one
 */
export async function takeUpUpload(
  stored: StoredUpload,
  exchange: Exchange,
  collaborators: Collaborators,
): Promise<UploadUnderWay> {
  const { head, deadline, record } = exchange;
  const { target, wantsImmutableIds, actsFor } = stored.record;
  const tokens = tokensForUpload(stored.record, exchange, collaborators);
  if (target.kind === 'todoTask' && actsFor !== undefined) await tokens.acquire(deadline);
  return openTransfer(
    stored,
    {
      call: { clientRequestId: head.clientRequestId, traceParent: head.traceParent, wantsImmutableIds },
      context: { tokens, deadline, record },
      deadline,
      retryTimeoutMs: MAX_PIECE_RETRY_MS,
    },
    collaborators,
  );
}

/** How a transfer calls Graph, and the times that its bytes have. */
interface TransferOptions extends Pick<GraphItemOptions, 'call' | 'context'> {
  readonly deadline: Deadline;
  readonly retryTimeoutMs: number;
  readonly lease?: UploadLease | undefined;
}

/** The parts of a transfer, for a request and for the run of a job alike. */
export async function openTransfer(
  stored: StoredUpload,
  { call, context, deadline, retryTimeoutMs, lease }: TransferOptions,
  { config, forwarder, queue, uploads, uploadHost }: Collaborators,
): Promise<UploadUnderWay> {
  const { target } = stored.record;
  const { tokens, record } = context;
  const item = createGraphItem({
    graphOrigin: config.graphOrigin,
    forwarder: await forwarder(),
    target,
    call,
    context,
  });
  const transfer = new RecordedTransfer(uploads, item, stored, lease);
  const sending = createSending({
    host: uploadHost,
    hosts: config.uploadHosts,
    uploadUrl: () => transfer.record.session?.uploadUrl ?? '',
    queue,
    mailbox: item.mailbox,
    deadline,
    record,
    // Outlook's upload host refuses bytes that come with a token; Graph's own demands one for To Do.
    tokens: target.kind === 'todoTask' ? tokens : undefined,
    retryTimeoutMs,
  });
  return { item, transfer, sending };
}

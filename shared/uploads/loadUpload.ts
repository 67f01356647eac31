import { tokensForUpload } from '../access/tokensForUpload.ts';
import type { Deadline } from '../common/deadline.ts';
import { MAX_CHUNK_RETRY_MS } from '../common/limits.ts';
import type { Dependencies } from '../dependencies.ts';
import { ServiceError } from '../errors.ts';
import { type AttachmentsApi, type AttachmentsApiOptions, createAttachmentsApi } from '../graph/attachmentsApi.ts';
import type { RequestContext } from '../handleRequest.ts';
import type { LogEntry } from '../logging/logEntry.ts';
import { hashUploadId } from '../logging/mask.ts';
import { StoredProgress } from '../transfer/storedProgress.ts';
import { createUploadContext, type UploadContext } from '../transfer/uploadContext.ts';
import type { StoredUpload, UploadLease } from './uploadStore.ts';

/** An upload that a request, or the run of a job, goes on with. */
export interface LoadedUpload {
  readonly item: AttachmentsApi;
  readonly progress: StoredProgress;
  readonly uploadContext: UploadContext;
}

/**
 * Reads the upload's record and notes it for the log.
 *
 * @throws ServiceError UploadNotFound, StorageUnavailable, StorageNotConfigured
 */
export async function readUpload(
  id: string,
  { logEntry }: RequestContext,
  { uploads }: Dependencies,
): Promise<StoredUpload> {
  logEntry.upload = hashUploadId(id);
  const stored = await uploads.read(id);
  logEntry.endStage('store');
  if (stored === undefined) throw new ServiceError('UploadNotFound', 'There is no such upload, or it has ended.');
  logUpload(stored, logEntry);
  return stored;
}

/** What the log says of an upload. */
export function logUpload({ record: upload }: StoredUpload, logEntry: LogEntry): void {
  const { target, caller, actsFor, attachment, offset } = upload;
  logEntry.caller = caller;
  logEntry.actsAs = actsFor === undefined ? 'app' : 'user';
  logEntry.kind = target.kind;
  logEntry.sizeBytes = attachment.sizeBytes;
  logEntry.offset = offset;
  if (target.owner.kind === 'group') logEntry.group = target.owner.id;
  else logEntry.mailbox = target.owner.id;
}

/**
 * What going on with an upload needs: its item at Graph, its account, and the way for its bytes.
 *
 * @throws ServiceError of a user's token, where bytes cannot be sent without one
 */
export async function loadUpload(
  stored: StoredUpload,
  context: RequestContext,
  dependencies: Dependencies,
): Promise<LoadedUpload> {
  const { info, deadline, logEntry } = context;
  const { target, wantsImmutableIds, actsFor } = stored.record;
  const tokens = tokensForUpload(stored.record, context, dependencies);
  if (target.kind === 'todoTask' && actsFor !== undefined) await tokens.acquire(deadline);
  return openTransfer(
    stored,
    {
      call: { clientRequestId: info.clientRequestId, traceParent: info.traceParent, wantsImmutableIds },
      context: { tokens, deadline, logEntry },
      deadline,
      retryTimeoutMs: MAX_CHUNK_RETRY_MS,
    },
    dependencies,
  );
}

/** How a transfer calls Graph, and the times that its bytes have. */
interface TransferOptions extends Pick<AttachmentsApiOptions, 'call' | 'context'> {
  readonly deadline: Deadline;
  readonly retryTimeoutMs: number;
  readonly lease?: UploadLease | undefined;
}

/** The parts of a transfer, for a request and for the run of a job alike. */
export async function openTransfer(
  stored: StoredUpload,
  { call, context, deadline, retryTimeoutMs, lease }: TransferOptions,
  { config, graphHttp, concurrencyLimiter: queue, uploads, uploadClient: uploadHost }: Dependencies,
): Promise<LoadedUpload> {
  const { target } = stored.record;
  const { tokens, logEntry } = context;
  const item = createAttachmentsApi({
    graphOrigin: config.graphOrigin,
    graphHttp: await graphHttp(),
    target,
    call,
    context,
  });
  const progress = new StoredProgress(uploads, item, stored, lease);
  const uploadContext = createUploadContext({
    client: uploadHost,
    hosts: config.uploadHosts,
    uploadUrl: () => progress.record.session?.uploadUrl ?? '',
    concurrencyLimiter: queue,
    mailbox: item.mailbox,
    deadline,
    logEntry,
    // Outlook's upload host refuses bytes that come with a token; Graph's own demands one for To Do.
    tokens: target.kind === 'todoTask' ? tokens : undefined,
    retryTimeoutMs,
  });
  return { item, progress, uploadContext };
}

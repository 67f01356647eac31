import { tokensForUpload } from '../access/tokensForUpload.ts';
import { MAX_CHUNK_RETRY_MS } from '../common/limits.ts';
import type { Dependencies, RequestContext } from '../dependencies.ts';
import { ServiceError } from '../errors.ts';
import { type AttachmentsApi, createAttachmentsApi } from '../graph/attachmentsApi.ts';
import { hashUploadId } from '../logging/mask.ts';
import { createUploadContext, type UploadContext } from '../transfer/uploadContext.ts';
import { UploadProgress } from './uploadProgress.ts';
import { isSessionOver, type StoredUpload } from './uploadRecord.ts';

/** An upload that a request continues. */
export interface LoadedUpload {
  readonly item: AttachmentsApi;
  readonly progress: UploadProgress;
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
  if (stored === undefined || isSessionOver(stored.record, Date.now())) {
    throw new ServiceError('UploadNotFound', 'The upload does not exist or has expired.');
  }
  const { caller, actsFor } = stored.record;
  logEntry.caller = caller;
  logEntry.actsAs = actsFor === undefined ? 'app' : 'user';
  logEntry.addTransfer(stored.record);
  return stored;
}

/** @throws ServiceError of a user's token, if bytes cannot be sent without one */
export async function loadUpload(
  stored: StoredUpload,
  context: RequestContext,
  dependencies: Dependencies,
): Promise<LoadedUpload> {
  const { info, deadline, logEntry } = context;
  const { target, wantsImmutableIds, actsFor } = stored.record;
  const { config, graphHttp, concurrencyLimiter, uploads, uploadClient } = dependencies;
  const tokens = tokensForUpload(stored.record, context, dependencies);
  if (target.kind === 'todoTask' && actsFor !== undefined) await tokens.acquire(deadline);
  const { clientRequestId, traceParent } = info;
  const item = createAttachmentsApi({
    graphOrigin: config.graphOrigin,
    graphHttp: await graphHttp(),
    target,
    call: { clientRequestId, traceParent, wantsImmutableIds },
    context: { tokens, deadline, logEntry },
  });
  const progress = new UploadProgress(uploads, item, stored);
  const uploadContext = createUploadContext({
    client: uploadClient,
    hosts: config.uploadHosts,
    uploadUrl: () => progress.transfer.session?.uploadUrl ?? '',
    concurrencyLimiter,
    mailbox: item.mailbox,
    deadline,
    logEntry,
    tokens,
    kind: target.kind,
    retryTimeoutMs: MAX_CHUNK_RETRY_MS,
  });
  return { item, progress, uploadContext };
}

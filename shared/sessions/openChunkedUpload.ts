import { authorizeRequest } from '../access/authorizeRequest.ts';
import type { AuthenticatedCaller } from '../access/caller.ts';
import type { ActsAs } from '../access/policy.ts';
import { tokensFor } from '../access/tokensFor.ts';
import { actsForOf } from '../access/tokensForUpload.ts';
import { MAX_CHUNK_BYTES, SESSION_FROM_BYTES } from '../common/limits.ts';
import { maxFileBytes } from '../config/config.ts';
import type { Dependencies, RequestContext } from '../dependencies.ts';
import { ServiceError } from '../errors.ts';
import { type AttachmentsApi, createAttachmentsApi } from '../graph/attachmentsApi.ts';
import type { UploadSession } from '../graph/uploadSession.ts';
import { withIdempotencyKey } from '../idempotency/withIdempotencyKey.ts';
import { hashUploadId } from '../logging/mask.ts';
import { idInProxyUrl, proxyUrlOf } from '../paths/proxyUrl.ts';
import type { ItemTarget, Target } from '../paths/target.ts';
import type { IncomingRequest } from '../server/request.ts';
import { requireBodyFits } from '../server/requireBodyFits.ts';
import type { ResponseData } from '../server/response.ts';
import { isJsonFile, readDeclaredFile } from '../sources/declaredFile.ts';
import type { FileInfo } from '../sources/fileInfo.ts';
import { storageNotConfigured } from '../storage/storageErrors.ts';
import { isTooShortForSession } from '../transfer/smallAttachment.ts';
import { startTransfer } from '../transfer/transferRecord.ts';
import { parseUploadUrl } from '../transfer/uploadClient.ts';
import { isSessionOver, type StoredUpload, type UploadRecord } from '../uploads/uploadRecord.ts';

/** Logic Apps says that the body will come in chunks: learn.microsoft.com/azure/logic-apps/logic-apps-handle-large-messages */
export function isChunkedMessage({ headers }: IncomingRequest): boolean {
  return headers.get('x-ms-transfer-mode')?.toLowerCase() === 'chunked';
}

/** @throws ServiceError where a workflow sends JSON in chunks: the designer's setting does that by itself for larger bodies */
export function refuseChunkedJson(request: IncomingRequest): void {
  if (!isChunkedMessage(request)) return;
  const message =
    "The body is sent in chunks, and here it must come at once: turn off 'Allow chunking' in the settings of the HTTP action.";
  throw new ServiceError('ChunkingNotSupported', message);
}

/**
 * The opening of a chunked message: an upload of its own, whose address takes the chunks. All that can be wrong is said here,
 * before a byte is sent. The same opening again, by its key or by the run that it comes from, gives the same address, so that a
 * transfer that the engine begins twice attaches once.
 *
 * @throws ServiceError ChunkingNotSupported, InvalidAttachment, CallerNotAllowed, StorageNotConfigured; GraphError
 */
export async function openChunkedUpload(
  context: RequestContext,
  caller: AuthenticatedCaller,
  path: Target,
  dependencies: Dependencies,
): Promise<ResponseData> {
  const { request, logEntry } = context;
  const { config, policy, uploads } = dependencies;
  if (isJsonFile(request)) refuseChunkedJson(request);
  const { sizeBytes, ...file } = await readDeclaredFile({
    kind: path.kind,
    query: request.url.search,
    headers: request.headers,
    lengthHeader: 'x-ms-content-length',
    maxBytes: maxFileBytes(path.kind, config),
  });
  if (sizeBytes === undefined || sizeBytes === 0) {
    throw new ServiceError('LengthRequired', 'x-ms-content-length must say how many bytes the file has, at least one.');
  }
  const { owner, actsAs } = authorizeRequest(policy, caller, path, { operation: 'attach', sizeBytes }, logEntry);
  // x-ms-content-length is the whole file's; a body is one chunk of it.
  requireBodyFits('A chunk', Math.min(sizeBytes, MAX_CHUNK_BYTES), config.maxRequestBodyBytes);
  if (config.storage.kind === 'none') throw storageNotConfigured();
  const { kind, version, itemPath } = path;
  const target = { kind, version, owner, itemPath };
  const attachment = { ...file, sizeBytes };
  let earlier: UploadRecord | undefined;
  return withIdempotencyKey(
    context,
    caller,
    ['chunked', owner, version, itemPath, attachment],
    dependencies,
    () => openUpload(context, caller, actsAs, target, attachment, earlier, dependencies),
    async ({ headers }) => {
      const stored = await uploads.read(idInProxyUrl(headers['location'] ?? ''));
      earlier = stored?.record;
      return isUsable(stored);
    },
  );
}

/**
 * A file below SESSION_FROM_BYTES has no session at Graph: it comes in one chunk.
 *
 * @param earlier an upload of the same file that came to nothing. If Graph was sent the whole file, the item is looked at before
 *   the file is sent again
 */
async function openUpload(
  { request, info, deadline, logEntry }: RequestContext,
  caller: AuthenticatedCaller,
  actsAs: ActsAs,
  target: ItemTarget,
  attachment: FileInfo,
  earlier: UploadRecord | undefined,
  dependencies: Dependencies,
): Promise<ResponseData> {
  const { config, graphHttp, uploads } = dependencies;
  let session: UploadSession | undefined;
  if (attachment.sizeBytes >= SESSION_FROM_BYTES) {
    const item = createAttachmentsApi({
      graphOrigin: config.graphOrigin,
      graphHttp: await graphHttp(),
      target,
      call: info,
      context: { tokens: tokensFor(actsAs, caller, dependencies), deadline, logEntry },
    });
    session = await openSession(item, attachment);
    if (session !== undefined) parseUploadUrl(session.uploadUrl, config.uploadHosts);
  }
  const { sizeBytes } = attachment;
  const sentBefore = session === undefined && earlier?.uncertainOffsets.includes(sizeBytes) ? earlier : undefined;
  const stored = await uploads.create({
    ...startTransfer(target, attachment, session, Date.now()),
    ...(sentBefore !== undefined && { createdAt: sentBefore.createdAt, uncertainOffsets: [sizeBytes] }),
    caller: logEntry.caller ?? '',
    wantsImmutableIds: info.wantsImmutableIds,
    state: { status: 'uploading' },
    ...actsForOf(actsAs, caller),
  });
  logEntry.endStage('store');
  logEntry.upload = hashUploadId(stored.id);
  const location = proxyUrlOf('upload', stored.id, request.url, config.publicBaseUrl);
  return { status: 200, headers: { location, 'x-ms-chunk-size': String(MAX_CHUNK_BYTES) }, body: '' };
}

/** An upload that has failed, was cancelled or has expired takes no more bytes. */
function isUsable(stored: StoredUpload | undefined): boolean {
  if (stored === undefined || isSessionOver(stored.record, Date.now())) return false;
  const { status } = stored.record.state;
  return status === 'uploading' || status === 'completed';
}

/** Undefined where Graph takes the file in one call alone. @throws GraphError */
async function openSession(item: AttachmentsApi, attachment: FileInfo): Promise<UploadSession | undefined> {
  try {
    return await item.openSession(attachment);
  } catch (error) {
    if (!isTooShortForSession(error, attachment)) throw error;
    return undefined;
  }
}

import type { Answer } from '../answer.ts';
import { requireBodyFits } from '../body/requireBodyFits.ts';
import type { AuthenticatedCaller } from '../caller/caller.ts';
import type { ActsAs } from '../caller/policy.ts';
import { ServiceError } from '../errors.ts';
import type { UploadSession } from '../graph/uploadSession.ts';
import { MAX_PIECE_BYTES, SESSION_FROM_BYTES } from '../limits.ts';
import { hashUploadId } from '../log/mask.ts';
import type { IncomingRequest } from '../request/incomingRequest.ts';
import type { Target } from '../route/target.ts';
import { readDeclaredFile } from '../source/declaredFile.ts';
import { isTooShortForSession } from '../transfer/addWhole.ts';
import { createGraphItem, type GraphItem } from '../transfer/graphItem.ts';
import { readUploadAddress } from '../transfer/uploadHost.ts';
import { storageNotConfigured } from '../upload/storageFault.ts';
import { createUploadRecord, type UploadRecord } from '../upload/uploadRecord.ts';
import type { StoredUpload } from '../upload/uploadStore.ts';
import { admit } from './admit.ts';
import type { Exchange } from './answerOperation.ts';
import { ceilingOf, isJsonFile } from './askedFile.ts';
import type { Collaborators } from './collaborators.ts';
import { onceByKey } from './onceByKey.ts';
import { tokensFor } from './tokensFor.ts';
import { actsForOf } from './tokensForUpload.ts';
import { uploadIdOf, uploadUrlOf } from './uploadUrlOf.ts';

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
 * @throws ServiceError ChunkingNotSupported, InvalidAttachment, CallerNotAllowed, StorageNotConfigured; UpstreamFailure
 */
export async function openChunkedMessage(
  exchange: Exchange,
  caller: AuthenticatedCaller,
  path: Target,
  collaborators: Collaborators,
): Promise<Answer> {
  const { request, record } = exchange;
  const { config, policy, uploads } = collaborators;
  if (isJsonFile(request)) refuseChunkedJson(request);
  const { sizeBytes, ...file } = await readDeclaredFile({
    kind: path.kind,
    query: request.url.search,
    headers: request.headers,
    lengthHeader: 'x-ms-content-length',
    ceilingBytes: ceilingOf(path, config),
  });
  if (sizeBytes === undefined || sizeBytes === 0) {
    throw new ServiceError('LengthRequired', 'x-ms-content-length must say how many bytes the file has, at least one.');
  }
  const { owner, actsAs } = admit(policy, caller, path, { operation: 'attach', sizeBytes }, record);
  // x-ms-content-length is the whole file's; a body is one chunk of it.
  requireBodyFits('A chunk', Math.min(sizeBytes, MAX_PIECE_BYTES), config.maxRequestBodyBytes);
  if (config.storage.kind === 'none') throw storageNotConfigured();
  const { kind, version, itemPath } = path;
  const target = { kind, version, owner, itemPath };
  const attachment = { ...file, sizeBytes };
  let earlier: UploadRecord | undefined;
  return onceByKey(
    exchange,
    caller,
    ['chunked', owner, version, itemPath, attachment],
    collaborators,
    () => openUpload(exchange, caller, actsAs, target, attachment, earlier, collaborators),
    async ({ headers }) => {
      const stored = await uploads.read(uploadIdOf(headers['location'] ?? ''));
      earlier = stored?.record;
      return isGoingOn(stored);
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
  { request, head, deadline, record }: Exchange,
  caller: AuthenticatedCaller,
  actsAs: ActsAs,
  target: UploadRecord['target'],
  attachment: UploadRecord['attachment'],
  earlier: UploadRecord | undefined,
  collaborators: Collaborators,
): Promise<Answer> {
  const { config, forwarder, uploads } = collaborators;
  let session: UploadSession | undefined;
  if (attachment.sizeBytes >= SESSION_FROM_BYTES) {
    const item = createGraphItem({
      graphOrigin: config.graphOrigin,
      forwarder: await forwarder(),
      target,
      call: head,
      context: { tokens: tokensFor(actsAs, caller, collaborators), deadline, record },
    });
    session = await openSession(item, attachment);
    if (session !== undefined) readUploadAddress(session.uploadUrl, config.uploadHosts);
  }
  const { wantsImmutableIds } = head;
  const upload = createUploadRecord({
    target,
    caller: record.caller ?? '',
    attachment,
    wantsImmutableIds,
    session,
    ...actsForOf(actsAs, caller),
  });
  const { sizeBytes } = attachment;
  const sentBefore = session === undefined && earlier?.mayHold.includes(sizeBytes) ? earlier : undefined;
  const stored = await uploads.create(
    sentBefore === undefined ? upload : { ...upload, createdAt: sentBefore.createdAt, mayHold: [sizeBytes] },
  );
  record.endStage('store');
  record.upload = hashUploadId(stored.id);
  const location = uploadUrlOf(stored.id, request.url, config.publicBaseUrl);
  return { status: 200, headers: { location, 'x-ms-chunk-size': String(MAX_PIECE_BYTES) }, body: '' };
}

/** An upload that has failed, was cancelled or is past its end takes no more bytes. */
function isGoingOn(stored: StoredUpload | undefined): boolean {
  const status = stored?.record.state.status;
  return status === 'uploading' || status === 'completed';
}

/** Undefined where Graph takes the file in one call alone. @throws UpstreamFailure */
async function openSession(
  item: GraphItem,
  attachment: UploadRecord['attachment'],
): Promise<UploadSession | undefined> {
  try {
    return await item.openSession(attachment);
  } catch (error) {
    if (!isTooShortForSession(error, attachment)) throw error;
    return undefined;
  }
}

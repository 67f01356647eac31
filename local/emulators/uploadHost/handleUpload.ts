import type { Hash } from 'node:crypto';
import type { Caller } from '../common/tokenRegistry.ts';
import { checkTotalSize } from '../graph/attachmentsApi.ts';
import type { BearerCheck } from '../graph/checkBearer.ts';
import {
  accessDenied,
  type CallIds,
  GraphError,
  type GraphResponse,
  graphHeaders,
  itemNotFound,
  noContent,
} from '../graph/graphResponse.ts';
import type { GraphWorld } from '../graph/graphWorld.ts';
import type { UploadSession } from '../graph/sessionStore.ts';
import { encodePath, expirationDateTime, outlookItemPath, type UploadCall } from './uploadUrl.ts';

/** The bytes of one PUT, hashed with those of the session; the session itself is not changed yet. */
export interface ReceivedChunk {
  readonly bytes: number;
  /** Size of the session's data when the chunk began to arrive. */
  readonly receivedBefore: number;
  readonly hash: Hash | undefined;
  /** The bytes themselves, if the session keeps them. */
  readonly parts: readonly Buffer[];
}

/** Handles a call to an uploadUrl, and commits the chunk if it is the next one. @throws GraphError */
export function handleUpload(
  world: GraphWorld,
  ids: CallIds,
  call: UploadCall,
  bearer: BearerCheck,
  chunk: ReceivedChunk,
): GraphResponse {
  const { method, session, isTodo, isContent } = call;
  if (isTodo) checkOpener(call, bearer);
  else checkAuthtoken(world, call);
  // The session may have ended while this chunk arrived.
  if (session === undefined || world.sessions.find(session.id) !== session) {
    throw new GraphError(404, 'ErrorItemNotFound', 'The upload session was not found.');
  }
  if (session.expiresAtMs <= world.now()) {
    world.sessions.remove(session.id);
    throw new GraphError(404, 'ErrorItemNotFound', 'The upload session has expired.');
  }
  if (method === 'DELETE' && !isContent) {
    world.sessions.remove(session.id);
    return noContent(ids);
  }
  if (method !== 'PUT' || isTodo !== isContent) {
    const message = 'The upload session takes PUT (To Do: below /content) and DELETE.';
    throw new GraphError(405, 'BadRequest', message);
  }
  if (session.isLost) throw itemNotFound();
  if (chunk.bytes > world.settings.maxChunkBytes) {
    throw new GraphError(413, 'RequestEntityTooLarge', 'The chunk is larger than the upload session allows.');
  }
  checkRange(session, call, chunk);
  checkTotalSize(world, session.item, session.received + chunk.bytes);
  if (chunk.hash !== undefined) session.hash = chunk.hash;
  session.parts?.push(...chunk.parts);
  session.received += chunk.bytes;
  return session.received < session.attachment.size
    ? intermediateResponse(world, ids, call, session)
    : complete(world, ids, call, session);
}

/** Each call to a To Do session needs a bearer token of the caller that opened it. */
function checkOpener({ session }: UploadCall, bearer: BearerCheck): void {
  if (bearer.kind === 'denied') throw bearer.error;
  if (session !== undefined && userOf(bearer.caller) !== userOf(session.openedBy)) throw accessDenied();
}

function userOf(caller: Caller): string | undefined {
  return caller.kind === 'user' ? caller.userId : undefined;
}

/** The secret in the query is the only credential. Clients often send a bearer token too, which the host rejects. */
function checkAuthtoken(world: GraphWorld, { authorization, session, authtoken }: UploadCall): void {
  const refusal = (message: string) => new GraphError(401, 'InvalidAudienceForResource', message);
  if (authorization !== undefined) throw refusal('The audience claim value is invalid for current resource.');
  if (session === undefined) {
    if (authtoken === undefined) throw refusal('The authtoken is missing.');
    return;
  }
  if (session.expiresAtMs <= world.now()) {
    throw new GraphError(401, 'InvalidAuthenticationToken', 'Lifetime validation failed, the token is expired.');
  }
  if (session.authtoken !== authtoken) throw refusal('The authtoken is not the one of this session.');
}

/** @throws GraphError with the inner code of Graph's shared list, if the chunk is not the next one */
function checkRange(session: UploadSession, call: UploadCall, chunk: ReceivedChunk): void {
  const innerCode = rangeError(session, call, chunk);
  if (innerCode === undefined) return;
  throw call.isTodo
    ? new GraphError(416, 'invalidRange', innerCode)
    : new GraphError(416, 'invalidRange', 'The range is not valid.', { innerCode });
}

function rangeError(session: UploadSession, { range }: UploadCall, chunk: ReceivedChunk): string | undefined {
  if (range === undefined || range.total !== session.attachment.size || range.end >= range.total) return 'invalidRange';
  if (range.start < session.received) return 'fragmentOverlap';
  // A chunk is rejected too if it began to arrive before the previous one was complete.
  if (range.start > session.received || chunk.receivedBefore !== session.received) return 'fragmentOutOfOrder';
  return range.end - range.start + 1 === chunk.bytes ? undefined : 'fragmentLengthMismatch';
}

function intermediateResponse(
  world: GraphWorld,
  ids: CallIds,
  { isTodo }: UploadCall,
  session: UploadSession,
): GraphResponse {
  return {
    status: 200,
    headers: { ...graphHeaders(ids), 'Content-Type': 'application/json; odata.metadata=minimal' },
    body: JSON.stringify({
      '@odata.context': `${world.url}${isTodo ? '/v1.0' : '/api/gv1.0'}/$metadata#Microsoft.OutlookServices.UploadSession`,
      ExpirationDateTime: expirationDateTime(session),
      // The documents of the two services differ in this letter case.
      [isTodo ? 'NextExpectedRanges' : 'nextExpectedRanges']: [String(session.received)],
    }),
  };
}

function complete(world: GraphWorld, ids: CallIds, { isTodo }: UploadCall, session: UploadSession): GraphResponse {
  const sha256 = session.hash.digest('hex');
  const attachment = { ...session.attachment, sha256, addedAtMs: world.now() };
  const { id } = world.mailboxes.addAttachment(session.item, attachment, session.parts && Buffer.concat(session.parts));
  world.sessions.remove(session.id);
  const location = isTodo
    ? `${session.path.replace(/\/attachmentSessions\/[^/]+$/, '/attachments')}/${id}`
    : `${outlookItemPath(session.item)}/Attachments('${id}')`;
  return { status: 201, headers: { ...graphHeaders(ids), Location: `${world.url}${encodePath(location)}` }, body: '' };
}

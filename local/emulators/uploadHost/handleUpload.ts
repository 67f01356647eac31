import type { Caller } from '../common/tokenRegistry.ts';
import { refuseOverCeiling } from '../graph/attachmentsApi.ts';
import type { BearerCheck } from '../graph/checkBearer.ts';
import { type CallIds, type GraphResponse, graphError, graphHeaders, uploadHostError } from '../graph/graphResponse.ts';
import type { GraphWorld } from '../graph/graphWorld.ts';
import type { UploadSession } from '../graph/sessionStore.ts';
import type { ReceivedPiece } from './receivePiece.ts';
import type { UploadCall } from './uploadCall.ts';
import { encodePath, expirationDateTime, outlookItemPath } from './uploadUrl.ts';

/** Answers a call to an uploadUrl, and commits the piece when it comes next. A To Do session has `bearer` checked. */
export function answerUpload(
  world: GraphWorld,
  ids: CallIds,
  call: UploadCall,
  bearer: BearerCheck,
  piece: ReceivedPiece,
): GraphResponse {
  const { method, session, isTodo, isContent } = call;
  const refuse = isTodo ? graphError : uploadHostError;
  const denied = isTodo ? checkOpener(ids, call, bearer) : checkAuthtoken(world, ids, call);
  if (denied !== undefined) return denied;
  // It may have ended while this piece came in.
  if (session === undefined || world.sessions.find(session.id) !== session) {
    return refuse(ids, 404, 'ErrorItemNotFound', 'The upload session was not found.');
  }
  if (session.expiresAtMs <= world.now()) {
    world.sessions.remove(session.id);
    return refuse(ids, 404, 'ErrorItemNotFound', 'The upload session has expired.');
  }
  if (method === 'DELETE' && !isContent) {
    world.sessions.remove(session.id);
    return { status: 204, headers: graphHeaders(ids), body: '' };
  }
  if (method !== 'PUT' || isTodo !== isContent) {
    return refuse(ids, 405, 'BadRequest', 'The upload session takes PUT (To Do: below /content) and DELETE.');
  }
  if (session.isLost) {
    return refuse(ids, 404, 'ErrorItemNotFound', 'The specified object was not found in the store.');
  }
  if (piece.bytes > world.settings.maxChunkBytes) {
    return refuse(ids, 413, 'RequestEntityTooLarge', 'The piece is longer than the upload session takes.');
  }
  const wrong = checkRange(session, call, piece);
  if (wrong !== undefined) {
    return isTodo
      ? graphError(ids, 416, 'invalidRange', wrong)
      : uploadHostError(ids, 416, 'invalidRange', 'The range is not valid.', { innerCode: wrong });
  }
  const exceeded = refuseOverCeiling(world, ids, session.item, session.received + piece.bytes);
  if (exceeded !== undefined) return exceeded;
  if (piece.hash !== undefined) session.hash = piece.hash;
  session.parts?.push(...piece.parts);
  session.received += piece.bytes;
  return session.received < session.attachment.size
    ? answerIntermediate(world, ids, call, session)
    : complete(world, ids, call, session);
}

/** A To Do session asks each time for the bearer token, of whoever opened it. */
function checkOpener(ids: CallIds, { session }: UploadCall, bearer: BearerCheck): GraphResponse | undefined {
  if (bearer.kind === 'denied') return bearer.answer;
  if (session === undefined || isSame(bearer.caller, session.openedBy)) return undefined;
  return graphError(ids, 403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
}

function isSame(one: Caller, other: Caller): boolean {
  if (one.kind === 'app' || other.kind === 'app') return one.kind === other.kind;
  return one.userId === other.userId;
}

/** The secret in the query is the only credential; a bearer beside it is the most frequent mistake of clients. */
function checkAuthtoken(
  world: GraphWorld,
  ids: CallIds,
  { authorization, session, authtoken }: UploadCall,
): GraphResponse | undefined {
  const refuse = (message: string) => uploadHostError(ids, 401, 'InvalidAudienceForResource', message);
  if (authorization !== undefined) return refuse('The audience claim value is invalid for current resource.');
  if (session === undefined) return authtoken === undefined ? refuse('The authtoken is missing.') : undefined;
  if (session.expiresAtMs <= world.now()) {
    return uploadHostError(ids, 401, 'InvalidAuthenticationToken', 'Lifetime validation failed, the token is expired.');
  }
  return session.authtoken === authtoken ? undefined : refuse('The authtoken is not the one of this session.');
}

/** The inner code of Graph's shared list for a piece that does not come next; undefined when it does. */
function checkRange(session: UploadSession, { range }: UploadCall, piece: ReceivedPiece): string | undefined {
  if (range === undefined || range.total !== session.attachment.size || range.end >= range.total) return 'invalidRange';
  if (range.start < session.received) return 'fragmentOverlap';
  // A piece that began to come in before the one in front of it was whole is refused as well.
  if (range.start > session.received || piece.heldBefore !== session.received) return 'fragmentOutOfOrder';
  return range.end - range.start + 1 === piece.bytes ? undefined : 'fragmentLengthMismatch';
}

function answerIntermediate(
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
      // The casing differs between the two services, as it does in their documents.
      [isTodo ? 'NextExpectedRanges' : 'nextExpectedRanges']: [String(session.received)],
    }),
  };
}

function complete(world: GraphWorld, ids: CallIds, { isTodo }: UploadCall, session: UploadSession): GraphResponse {
  const { id } = world.mailboxes.addAttachment(session.item, {
    ...session.attachment,
    contentType: session.attachment.contentType ?? 'application/octet-stream',
    sha256: session.hash.digest('hex'),
    lastModifiedDateTime: new Date(world.now()).toISOString(),
  });
  if (session.parts !== undefined) world.contents.keep(id, Buffer.concat(session.parts));
  world.sessions.remove(session.id);
  const location = isTodo
    ? `${session.path.replace(/\/attachmentSessions\/[^/]+$/, '/attachments')}/${id}`
    : `${outlookItemPath(session.item)}/Attachments('${id}')`;
  return { status: 201, headers: { ...graphHeaders(ids), Location: `${world.url}${encodePath(location)}` }, body: '' };
}

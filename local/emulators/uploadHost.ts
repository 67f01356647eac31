import type { Hash } from 'node:crypto';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { checkBearer } from './checkBearer.ts';
import { type Answer, type CallIds, graphError, graphHeaders, uploadHostError } from './graphAnswer.ts';
import type { GraphWorld } from './graphWorld.ts';
import type { UploadSession } from './sessionStore.ts';
import { encodePath, expirationDateTime, outlookItemPath } from './uploadUrl.ts';

/** A chunk may have up to 4 MiB: learn.microsoft.com/graph/api/attachment-createuploadsession. */
const MAX_CHUNK_BYTES = 4 * 1024 * 1024;
const CONTENT_RANGE = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/;

/** A request to an uploadUrl, with its session when there is one. */
export interface UploadCall {
  readonly request: IncomingMessage;
  readonly ids: CallIds;
  readonly session: UploadSession | undefined;
  /** To Do alone: the path ended in `/content`. */
  readonly isContent: boolean;
  readonly authtoken: string | undefined;
}

/** The bytes of one PUT, hashed onto what came before; nothing is committed yet. */
export interface ReceivedChunk {
  readonly bytes: number;
  readonly hash: Hash | undefined;
}

/** Recognises uploadUrls of either kind; undefined for every other path. */
export function readUploadCall(world: GraphWorld, request: IncomingMessage, ids: CallIds): UploadCall | undefined {
  if (!/\/attachmentSessions/i.test(request.url ?? '')) return undefined;
  const url = new URL(request.url ?? '/', world.url);
  const path = safeDecode(url.pathname);
  const [, outlookId, todoId, content] =
    /\/attachmentSessions(?:\('([^']*)'\)|\/([^/]+?)(\/content)?)\/?$/i.exec(path) ?? [];
  const id = outlookId ?? todoId;
  if (id === undefined) return undefined;
  const session = world.sessions.find(id);
  const wanted = content === undefined ? path : path.slice(0, -content.length);
  return {
    request,
    ids,
    session: session !== undefined && session.path === wanted ? session : undefined,
    isContent: content !== undefined,
    authtoken: url.searchParams.get('authtoken') ?? undefined,
  };
}

/** Reads the body to its end. Only the hash of the bytes is kept. */
export async function receiveChunk({ request, session }: UploadCall): Promise<ReceivedChunk> {
  const hash = session?.hash.copy();
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes <= MAX_CHUNK_BYTES) hash?.update(part);
  }
  return { bytes, hash };
}

/** Answers a PUT or DELETE, and commits the chunk when it is in order. */
export function answerUpload(world: GraphWorld, call: UploadCall, chunk: ReceivedChunk): Answer {
  const { request, ids, session } = call;
  const isTodo = !(request.url ?? '').startsWith('/api/');
  const refuse = isTodo ? graphError : uploadHostError;
  const denied = isTodo ? checkBearer(world, ids, request.headers.authorization) : checkAuthtoken(world, call);
  if (denied !== undefined) return denied;
  if (session === undefined) return refuse(ids, 404, 'ErrorItemNotFound', 'The upload session was not found.');
  if (session.expiresAtMs <= world.now()) {
    world.sessions.remove(session.id);
    return refuse(ids, 404, 'ErrorItemNotFound', 'The upload session has expired.');
  }
  if (request.method === 'DELETE' && !call.isContent) {
    world.sessions.remove(session.id);
    return { status: 204, headers: graphHeaders(ids), body: '' };
  }
  if (request.method !== 'PUT' || isTodo !== call.isContent) {
    return refuse(ids, 405, 'BadRequest', 'The upload session takes PUT (To Do: below /content) and DELETE.');
  }
  const wrong = checkRange(session, request.headers['content-range'], chunk.bytes);
  if (wrong !== undefined)
    return isTodo
      ? graphError(ids, 416, 'invalidRange', wrong)
      : uploadHostError(ids, 416, 'invalidRange', 'The range is not valid.', wrong);
  if (chunk.hash !== undefined) session.hash = chunk.hash;
  session.received += chunk.bytes;
  return session.received < session.attachment.size
    ? answerIntermediate(world, call, session)
    : complete(world, call, session);
}

/** The secret in the query is the only credential; a bearer beside it is the most frequent mistake of clients. */
function checkAuthtoken(world: GraphWorld, { request, ids, session, authtoken }: UploadCall): Answer | undefined {
  const refuse = (message: string) => uploadHostError(ids, 401, 'InvalidAudienceForResource', message);
  if (request.headers.authorization !== undefined) {
    return refuse('The audience claim value is invalid for current resource.');
  }
  if (session === undefined) return authtoken === undefined ? refuse('The authtoken is missing.') : undefined;
  if (session.expiresAtMs <= world.now()) {
    return uploadHostError(ids, 401, 'InvalidAuthenticationToken', 'Lifetime validation failed, the token is expired.');
  }
  return session.authtoken === authtoken ? undefined : refuse('The authtoken is not the one of this session.');
}

/** The inner code of Graph's shared list for a chunk that does not come next; undefined when it does. */
function checkRange(session: UploadSession, header: string | undefined, bytes: number): string | undefined {
  const [start, end, total] = (CONTENT_RANGE.exec(header ?? '') ?? []).slice(1).map(Number);
  if (
    start === undefined ||
    end === undefined ||
    total === undefined ||
    total !== session.attachment.size ||
    end >= total
  ) {
    return 'invalidRange';
  }
  if (start > session.received) return 'fragmentOutOfOrder';
  if (start < session.received) return 'fragmentOverlap';
  if (bytes > MAX_CHUNK_BYTES) return 'maxFragmentLengthExceeded';
  return end - start + 1 === bytes ? undefined : 'fragmentLengthMismatch';
}

function answerIntermediate(world: GraphWorld, { ids, isContent }: UploadCall, session: UploadSession): Answer {
  return {
    status: 200,
    headers: { ...graphHeaders(ids), 'Content-Type': 'application/json; odata.metadata=minimal' },
    body: JSON.stringify({
      '@odata.context': `${world.url}${isContent ? '/v1.0' : '/api/gv1.0'}/$metadata#Microsoft.OutlookServices.UploadSession`,
      ExpirationDateTime: expirationDateTime(session),
      // The casing differs between the two services, as it does in their documents.
      [isContent ? 'NextExpectedRanges' : 'nextExpectedRanges']: [String(session.received)],
    }),
  };
}

function complete(world: GraphWorld, { ids, isContent }: UploadCall, session: UploadSession): Answer {
  const id = `AAMkAG${randomBytes(18).toString('base64url')}=`;
  const { name, size, isInline, contentId } = session.attachment;
  const contentType = session.attachment.contentType ?? 'application/octet-stream';
  const lastModifiedDateTime = new Date(world.now()).toISOString();
  const sha256 = session.hash.digest('hex');
  world.mailboxes.addAttachment(session.item, {
    id,
    name,
    contentType,
    size,
    sha256,
    isInline,
    contentId,
    lastModifiedDateTime,
  });
  world.sessions.remove(session.id);
  const location = isContent
    ? `${session.path.replace(/\/attachmentSessions\/[^/]+$/, '/attachments')}/${id}`
    : `${outlookItemPath(session.item)}/Attachments('${id}')`;
  return { status: 201, headers: { ...graphHeaders(ids), Location: `${world.url}${encodePath(location)}` }, body: '' };
}

function safeDecode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

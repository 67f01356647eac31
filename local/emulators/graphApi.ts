import { readAttachmentBody } from './attachmentBody.ts';
import { type Answer, type CallIds, graphError, graphJson } from './graphAnswer.ts';
import { type GraphPath, isItemKind } from './graphPath.ts';
import type { GraphWorld } from './graphWorld.ts';
import type { ItemRef, StoredAttachment } from './mailboxStore.ts';
import type { DeclaredAttachment } from './sessionStore.ts';
import { expirationDateTime, outlookItemPath, todoTaskPath, uploadUrl } from './uploadUrl.ts';

/** A call whose bearer token has been accepted and whose path has been read. */
export interface GraphCall {
  readonly method: string;
  readonly path: GraphPath;
  readonly ids: CallIds;
  readonly contentType: string | undefined;
  readonly body: string;
}

/** Answers a call to Graph itself: opening a session, and the few calls around it that a workflow makes. */
export function answerGraph(world: GraphWorld, call: GraphCall): Answer {
  const { ids, path, method } = call;
  if (path.root === 'me') {
    return graphError(ids, 400, 'BadRequest', '/me request is only valid with delegated authentication flow.');
  }
  const body = isCreateUploadSession(path) && method === 'POST' ? readBody(call) : undefined;
  if (body?.kind === 'fault') return graphError(ids, body.fault.status, body.fault.code, body.fault.message);
  if (world.settings.appOnlyFamilies === 'asGraph' && !supportsAppOnly(path)) {
    return graphError(ids, 403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
  }
  const found = world.mailboxes.lookUp(path, world.settings.anyItem);
  switch (found.kind) {
    case 'noMailbox':
      return path.root === 'groups'
        ? graphError(ids, 404, 'Request_ResourceNotFound', `Resource '${path.ownerId}' does not exist.`)
        : graphError(ids, 404, 'ErrorInvalidUser', `The requested user '${path.ownerId}' is invalid.`);
    case 'noItem':
      return graphError(ids, 404, 'ErrorItemNotFound', 'The specified object was not found in the store.');
    case 'malformedId':
      return graphError(ids, 400, 'ErrorInvalidIdMalformed', 'Id is malformed.');
    case 'found':
      return body === undefined
        ? answerItem(world, call, found.item)
        : openSession(world, call, found.item, body.attachment);
  }
}

export function isCreateUploadSession(path: GraphPath): boolean {
  return path.rest.length === 2 && path.rest[0] === 'attachments' && path.rest[1] === 'createuploadsession';
}

/** learn.microsoft.com/graph/outlook-large-attachments names messages and events; group calendars are delegated-only. */
function supportsAppOnly(path: GraphPath): boolean {
  return (
    path.root === 'users' && !['todo', 'todoTaskList', 'todoTask'].includes(path.type) && !/^outlook/.test(path.type)
  );
}

function readBody(call: GraphCall): ReturnType<typeof readAttachmentBody> {
  const parameter = call.path.type === 'todoTask' ? 'attachmentInfo' : 'AttachmentItem';
  return readAttachmentBody(call.body, call.contentType, parameter);
}

function openSession(world: GraphWorld, call: GraphCall, item: ItemRef, attachment: DeclaredAttachment): Answer {
  const { ids, path } = call;
  const isTodo = path.type === 'todoTask';
  if (!isTodo && attachment.size < world.settings.minimumSize) {
    return graphError(
      ids,
      400,
      'ErrorAttachmentSizeShouldNotBeLessThanMinimumSize',
      'The attachment size should be greater than or equal to the minimum size for an upload session.',
    );
  }
  const expiresAtMs = world.now() + world.settings.sessionLifetimeMs;
  const session = world.sessions.open(
    { item, attachment, expiresAtMs },
    isTodo
      ? { preauthenticated: false, path: (id) => `${todoTaskPath(path)}/attachmentSessions/${id}` }
      : { preauthenticated: true, path: (id) => `${outlookItemPath(item)}/AttachmentSessions('${id}')` },
  );
  return graphJson(ids, isTodo ? 200 : 201, {
    '@odata.context': `${world.url}/${path.version}/$metadata#microsoft.graph.uploadSession`,
    uploadUrl: uploadUrl(world.url, session),
    expirationDateTime: expirationDateTime(session),
    nextExpectedRanges: ['0-'],
  });
}

function answerItem(world: GraphWorld, call: GraphCall, item: ItemRef): Answer {
  const { ids, method, path } = call;
  const context = `${world.url}/${path.version}/$metadata#${path.root}('${path.ownerId}')/${path.type}s`;
  if (method === 'POST' && path.isCollection && (path.type === 'message' || path.type === 'event')) {
    const id = world.mailboxes.createItem(item.mailboxId, path.type);
    return graphJson(ids, 201, {
      '@odata.context': `${context}/$entity`,
      id,
      ...(path.type === 'message' ? { isDraft: true } : {}),
    });
  }
  if (method !== 'GET' || path.isCollection || !isItemKind(path.type)) {
    return graphError(ids, 405, 'BadRequest', 'The emulator does not offer this operation.');
  }
  const attachments = world.mailboxes.attachments(item.mailboxId, item.id);
  const [navigation, attachmentId] = path.rest;
  if (navigation === undefined) {
    return graphJson(ids, 200, {
      '@odata.context': `${context}/$entity`,
      id: item.id,
      hasAttachments: attachments.length > 0,
    });
  }
  if (attachmentId === undefined) {
    return graphJson(ids, 200, {
      '@odata.context': `${context}/attachments`,
      value: attachments.map(toFileAttachment),
    });
  }
  const attachment = attachments.find(({ id }) => id === attachmentId);
  return attachment === undefined
    ? graphError(ids, 404, 'ErrorItemNotFound', 'The specified object was not found in the store.')
    : graphJson(ids, 200, { '@odata.context': `${context}/attachments/$entity`, ...toFileAttachment(attachment) });
}

function toFileAttachment(attachment: StoredAttachment): object {
  const { id, name, contentType, size, isInline, contentId, lastModifiedDateTime } = attachment;
  return {
    '@odata.type': '#microsoft.graph.fileAttachment',
    id,
    lastModifiedDateTime,
    name,
    contentType,
    // Exchange reports more than the file's length: 3,483,322 bytes became 3,640,066 in Graph's own sample.
    size: Math.ceil(size * 1.045),
    isInline,
    contentId,
  };
}

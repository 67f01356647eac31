import type { PlayPoint } from '../errors/errorRequest.ts';
import { expirationDateTime, outlookItemPath, todoTaskPath, uploadUrl } from '../uploadHost/uploadUrl.ts';
import { type DeclaredAttachment, readAttachmentBody, readFileAttachmentBody } from './attachmentBody.ts';
import { attachmentTypeOf, handleAttachments, postAttachment } from './attachmentsApi.ts';
import { type GraphPath, isItemKind } from './graphPath.ts';
import { accessDenied, GraphError, type GraphResponse, jsonResponse } from './graphResponse.ts';
import type { GraphCall, GraphWorld } from './graphWorld.ts';
import type { ItemRef } from './mailboxStore.ts';

type Operation = (item: ItemRef) => GraphResponse;

/** Handles a call to Graph. As Graph does, it reads the body before it looks for the item. @throws GraphError */
export function handleGraphCall(world: GraphWorld, call: GraphCall): GraphResponse {
  const { path, caller } = call;
  const { settings, mailboxes } = world;
  if (path.root === 'me') {
    throw new GraphError(400, 'BadRequest', '/me request is only valid with delegated authentication flow.');
  }
  const operation = findOperation(world, call);
  const isAdmitted =
    caller.kind === 'user'
      ? mailboxes.admits(path, caller.userId, settings.anyItem)
      : settings.appOnlyFamilies === 'all' || supportsAppOnly(path);
  if (!isAdmitted) throw accessDenied();
  return operation(mailboxes.find(path, settings.anyItem));
}

/** The errors that may be played on a call; undefined if none may. */
export function playPointOf(method: string, path: GraphPath): PlayPoint | undefined {
  if (path.isCollection || !isItemKind(path.type)) return undefined;
  if (isCreateUploadSession(path)) return 'create';
  if (method === 'GET') return 'read';
  return isAttachments(path) && method === 'POST' ? 'attach' : undefined;
}

export function isAttachments({ rest }: GraphPath): boolean {
  return rest.length === 1 && rest[0] === 'attachments';
}

function isCreateUploadSession({ rest }: GraphPath): boolean {
  return rest.length === 2 && rest[0] === 'attachments' && rest[1] === 'createuploadsession';
}

/** Reads the body, and returns the operation for an existing item. */
function findOperation(world: GraphWorld, call: GraphCall): Operation {
  const { method, path, body, contentType } = call;
  if (method === 'POST' && isCreateUploadSession(path)) {
    const parameter = path.type === 'todoTask' ? 'attachmentInfo' : 'AttachmentItem';
    const declared = readAttachmentBody(body, contentType, parameter);
    return (item) => createUploadSession(world, call, item, declared);
  }
  if (method === 'POST' && isAttachments(path)) {
    const posted = readFileAttachmentBody(body, contentType, attachmentTypeOf(path.type));
    return (item) => postAttachment(world, call, item, posted);
  }
  return (item) => handleItem(world, call, item);
}

/** learn.microsoft.com/graph/outlook-large-attachments names messages and events; group calendars are delegated-only. */
function supportsAppOnly(path: GraphPath): boolean {
  return (
    path.root === 'users' && !['todo', 'todoTaskList', 'todoTask'].includes(path.type) && !/^outlook/.test(path.type)
  );
}

function handleItem(world: GraphWorld, call: GraphCall, item: ItemRef): GraphResponse {
  const { ids, method, path } = call;
  const context = `${world.url}/${path.version}/$metadata#${path.root}('${path.ownerId}')/${path.type}s/$entity`;
  if (method === 'POST' && path.isCollection && (path.type === 'message' || path.type === 'event')) {
    const id = world.mailboxes.createItem(item.mailboxId, path.type);
    return jsonResponse(ids, 201, { '@odata.context': context, id, ...(path.type === 'message' && { isDraft: true }) });
  }
  const [navigation] = path.rest;
  if (!path.isCollection && isItemKind(path.type)) {
    if (navigation === 'attachments' && path.rest.length <= 2) return handleAttachments(world, call, item);
    if (navigation === undefined && method === 'GET') {
      const hasAttachments = world.mailboxes.attachments(item.mailboxId, item.id).length > 0;
      return jsonResponse(ids, 200, { '@odata.context': context, id: item.id, hasAttachments });
    }
  }
  throw new GraphError(405, 'BadRequest', 'The emulator does not offer this operation.');
}

function createUploadSession(
  world: GraphWorld,
  call: GraphCall,
  item: ItemRef,
  attachment: DeclaredAttachment,
): GraphResponse {
  const { ids, path, caller } = call;
  const isTodo = path.type === 'todoTask';
  if (!isTodo && attachment.size < world.settings.minimumSize) {
    throw new GraphError(
      400,
      'ErrorAttachmentSizeShouldNotBeLessThanMinimumSize',
      'The attachment size should be greater than or equal to the minimum size for an upload session.',
    );
  }
  const session = world.sessions.open({
    item,
    attachment,
    expiresAtMs: world.now() + world.settings.sessionLifetimeMs,
    openedBy: caller,
    isPreauthenticated: !isTodo,
    pathOf: (id) =>
      isTodo
        ? `${todoTaskPath(path)}/attachmentSessions/${id}`
        : `${outlookItemPath(item)}/AttachmentSessions('${id}')`,
  });
  return jsonResponse(ids, isTodo ? 200 : 201, {
    '@odata.context': `${world.url}/${path.version}/$metadata#microsoft.graph.uploadSession`,
    uploadUrl: uploadUrl(world.url, session),
    expirationDateTime: expirationDateTime(session),
    nextExpectedRanges: ['0-'],
  });
}

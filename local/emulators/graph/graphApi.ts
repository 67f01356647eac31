import type { PlayPoint } from '../errors/errorRequest.ts';
import { expirationDateTime, outlookItemPath, todoTaskPath, uploadUrl } from '../uploadHost/uploadUrl.ts';
import { readAttachmentBody, readFileAttachmentBody } from './attachmentBody.ts';
import { answerAttachments, attachmentTypeOf, postAttachment } from './attachmentsApi.ts';
import { type GraphPath, isItemKind } from './graphPath.ts';
import { type GraphResponse, graphError, graphJson } from './graphResponse.ts';
import type { GraphCall, GraphWorld } from './graphWorld.ts';
import type { Reading } from './jsonBody.ts';
import type { ItemRef } from './mailboxStore.ts';
import type { DeclaredAttachment } from './sessionStore.ts';

/** What a call comes to on an item that is there, or the answer to a body that says nothing good of any item. */
type Deed = Reading<(item: ItemRef) => GraphResponse>;

/** Answers a call to Graph itself: attaching in one call or by a session, and the few calls around it that a workflow makes. */
export function answerGraph(world: GraphWorld, call: GraphCall): GraphResponse {
  const { ids, path, caller } = call;
  const { settings, mailboxes } = world;
  if (path.root === 'me') {
    return graphError(ids, 400, 'BadRequest', '/me request is only valid with delegated authentication flow.');
  }
  const deed = prepare(world, call);
  if (deed.kind === 'fault') return graphError(ids, deed.error.status, deed.error.code, deed.error.message);
  const isAdmitted =
    caller.kind === 'user'
      ? mailboxes.admits(path, caller.userId, settings.anyItem)
      : settings.appOnlyFamilies === 'all' || supportsAppOnly(path);
  if (!isAdmitted) {
    return graphError(ids, 403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
  }
  const found = mailboxes.lookUp(path, settings.anyItem);
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
      return deed.value(found.item);
  }
}

/** Where faults may be played on a call; undefined for calls that have none. */
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

function prepare(world: GraphWorld, call: GraphCall): Deed {
  const { method, path, body, contentType } = call;
  if (method === 'POST' && isCreateUploadSession(path)) {
    const read = readAttachmentBody(body, contentType, path.type === 'todoTask' ? 'attachmentInfo' : 'AttachmentItem');
    return then(read, (attachment, item) => openSession(world, call, item, attachment));
  }
  if (method === 'POST' && isAttachments(path)) {
    const read = readFileAttachmentBody(body, contentType, attachmentTypeOf(path.type));
    return then(read, (posted, item) => postAttachment(world, call, item, posted));
  }
  return { kind: 'read', value: (item) => answerItem(world, call, item) };
}

function then<Body>(read: Reading<Body>, act: (body: Body, item: ItemRef) => GraphResponse): Deed {
  return read.kind === 'fault' ? read : { kind: 'read', value: (item) => act(read.value, item) };
}

/** learn.microsoft.com/graph/outlook-large-attachments names messages and events; group calendars are delegated-only. */
function supportsAppOnly(path: GraphPath): boolean {
  return (
    path.root === 'users' && !['todo', 'todoTaskList', 'todoTask'].includes(path.type) && !/^outlook/.test(path.type)
  );
}

function answerItem(world: GraphWorld, call: GraphCall, item: ItemRef): GraphResponse {
  const { ids, method, path } = call;
  const context = `${world.url}/${path.version}/$metadata#${path.root}('${path.ownerId}')/${path.type}s/$entity`;
  if (method === 'POST' && path.isCollection && (path.type === 'message' || path.type === 'event')) {
    const id = world.mailboxes.createItem(item.mailboxId, path.type);
    return graphJson(ids, 201, { '@odata.context': context, id, ...(path.type === 'message' && { isDraft: true }) });
  }
  const [navigation] = path.rest;
  if (!path.isCollection && isItemKind(path.type)) {
    if (navigation === 'attachments' && path.rest.length <= 2) return answerAttachments(world, call, item);
    if (navigation === undefined && method === 'GET') {
      const hasAttachments = world.mailboxes.attachments(item.mailboxId, item.id).length > 0;
      return graphJson(ids, 200, { '@odata.context': context, id: item.id, hasAttachments });
    }
  }
  return graphError(ids, 405, 'BadRequest', 'The emulator does not offer this operation.');
}

/** Answers createUploadSession on an item that is there. */
function openSession(world: GraphWorld, call: GraphCall, item: ItemRef, attachment: DeclaredAttachment): GraphResponse {
  const { ids, path, caller } = call;
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
    { item, attachment, expiresAtMs, openedBy: caller },
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

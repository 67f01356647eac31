import { createHash } from 'node:crypto';
import type { FileAttachmentType, PostedAttachment } from './attachmentBody.ts';
import { GraphError, type GraphResponse, itemNotFound, jsonResponse, noContent } from './graphResponse.ts';
import type { GraphCall, GraphWorld } from './graphWorld.ts';
import type { ItemRef, StoredAttachment } from './mailboxStore.ts';
import { nextLink, queryOption, readPage } from './page.ts';

/** Properties of the types that attachments collections hold (published CSDL); properties of derived types need a cast. */
const SELECTABLE = {
  fileAttachment: {
    base: 'attachment',
    own: ['id', 'name', 'contentType', 'size', 'isInline', 'lastModifiedDateTime'],
    derived: ['contentId', 'contentLocation', 'contentBytes'],
  },
  taskFileAttachment: {
    base: 'attachmentBase',
    own: ['id', 'name', 'contentType', 'size', 'lastModifiedDateTime'],
    derived: ['contentBytes'],
  },
} as const;

export function attachmentTypeOf(itemType: string): FileAttachmentType {
  return itemType === 'todoTask' ? 'taskFileAttachment' : 'fileAttachment';
}

/** Attaches a file in one call. */
export function postAttachment(
  world: GraphWorld,
  call: GraphCall,
  item: ItemRef,
  posted: PostedAttachment,
): GraphResponse {
  const { singlePostLimitBytes, singlePostRefusal } = world.settings;
  if (posted.content.length > singlePostLimitBytes) {
    throw singlePostRefusal === 413
      ? new GraphError(413, 'RequestEntityTooLarge', 'The request body is over 4 MB.')
      : new GraphError(400, 'BadRequest', 'The maximum request length supported is 4MB.');
  }
  const attachment = storeAttachment(world, item, posted);
  return jsonResponse(call.ids, 201, {
    '@odata.context': `${contextOf(world, call)}/$entity`,
    ...resource(attachment, item.type, hasBytes(attachment) ? posted.content : undefined),
  });
}

/** @throws GraphError */
export function storeAttachment(world: GraphWorld, item: ItemRef, posted: PostedAttachment): StoredAttachment {
  const { content, ...declared } = posted;
  checkTotalSize(world, item, content.length);
  const sha256 = createHash('sha256').update(content).digest('hex');
  return world.mailboxes.addAttachment(item, { ...declared, sha256, addedAtMs: world.now() }, content);
}

/** Handles GET of an item's attachments, and GET and DELETE of one. */
export function handleAttachments(world: GraphWorld, call: GraphCall, item: ItemRef): GraphResponse {
  const { ids, method, path } = call;
  const attachments = world.mailboxes.attachments(item.mailboxId, item.id);
  const [, id] = path.rest;
  const one = attachments.find((attachment) => attachment.id === id);
  if (id !== undefined && one === undefined) throw itemNotFound();
  if (method === 'DELETE' && one !== undefined) {
    world.mailboxes.removeAttachment(item, one.id);
    return noContent(ids);
  }
  if (method !== 'GET') throw new GraphError(405, 'BadRequest', 'The emulator does not offer this operation.');
  const context = contextOf(world, call);
  if (one !== undefined) {
    const [shown] = resources(world, call, item, [one], true);
    return jsonResponse(ids, 200, { '@odata.context': `${context}/$entity`, ...shown });
  }
  const { top, skip } = readPage(call.query);
  const end = skip + top;
  // learn.microsoft.com/graph/api/todotask-list-attachments: the list of a task comes without the bytes.
  const shown = resources(world, call, item, attachments.slice(skip, end), item.type !== 'todoTask');
  return jsonResponse(ids, 200, {
    '@odata.context': context,
    ...(end < attachments.length && { '@odata.nextLink': nextLink(world, call, end) }),
    value: shown,
  });
}

/** @throws GraphError if a file of this size makes the message too large */
export function checkTotalSize(world: GraphWorld, item: ItemRef, bytes: number): void {
  const total = world.mailboxes.attachments(item.mailboxId, item.id).reduce((sum, { size }) => sum + size, bytes);
  if (total > world.settings.maxTotalAttachmentBytes) {
    const message = 'The message exceeds the maximum supported size.';
    throw new GraphError(413, 'ErrorMessageSizeExceeded', message, { isBare: true });
  }
}

/** The attachments as Graph shows them, with the selected properties. */
function resources(
  world: GraphWorld,
  call: GraphCall,
  item: ItemRef,
  attachments: readonly StoredAttachment[],
  showsBytes: boolean,
): object[] {
  const names = readSelect(call.query, attachmentTypeOf(item.type));
  const withBytes = names?.includes('contentBytes') ?? showsBytes;
  return attachments.map((attachment) => {
    const needsBytes = withBytes && hasBytes(attachment);
    const content = needsBytes ? world.mailboxes.content(attachment.id) : undefined;
    // Reading back a large file has ended so: microsoftgraph/microsoft-graph-docs-contrib#1220.
    if (needsBytes && content === undefined) throw new GraphError(504, 'UnknownError', 'The gateway timed out.');
    const complete = resource(attachment, item.type, content);
    return names === undefined ? complete : pick(complete, names);
  });
}

function contextOf(world: GraphWorld, { path }: GraphCall): string {
  return `${world.url}/${path.version}/$metadata#${path.root}('${path.ownerId}')/${path.type}s('${path.keys.at(-1)?.id}')/attachments`;
}

/** Item and reference attachments have no bytes. */
function hasBytes({ type = 'fileAttachment' }: StoredAttachment): boolean {
  return /file/i.test(type);
}

/** An attachment as Graph shows it. */
export function resource(attachment: StoredAttachment, itemType: string, content: Buffer | undefined): object {
  const {
    type = 'fileAttachment',
    id,
    name,
    contentType,
    size,
    isInline,
    contentId,
    lastModifiedDateTime,
  } = attachment;
  const bytes = content === undefined ? {} : { contentBytes: content.toString('base64') };
  // Exchange reports more than the file's size: 3,483,322 bytes became 3,640,066 in Graph's own sample.
  const shared = { id, lastModifiedDateTime, name, contentType, size: Math.ceil(size * 1.045) };
  return itemType === 'todoTask'
    ? { '@odata.type': '#microsoft.graph.taskFileAttachment', ...shared, ...bytes }
    : {
        '@odata.type': `#microsoft.graph.${type}`,
        '@odata.mediaContentType': contentType,
        ...shared,
        isInline,
        contentId,
        contentLocation: null,
        ...bytes,
      };
}

/** Graph always names the type of a derived entity. */
function pick(complete: object, names: readonly string[]): object {
  return Object.fromEntries(
    Object.entries(complete).filter(([name]) => name === '@odata.type' || names.includes(name)),
  );
}

/**
 * Reads `$select`; undefined: all properties. A property of the derived type needs a cast, as in
 * `microsoft.graph.fileAttachment/contentId` (microsoftgraph/microsoft-graph-explorer-v4#3916).
 */
function readSelect(query: URLSearchParams, type: FileAttachmentType): readonly string[] | undefined {
  const { base, own, derived } = SELECTABLE[type];
  const text = queryOption(query, 'select');
  if (text === undefined || text.trim() === '*') return undefined;
  const known = new Map<string, string>([
    ...own.map((name): [string, string] => [name.toLowerCase(), name]),
    ...derived.map((name): [string, string] => [`microsoft.graph.${type}/${name}`.toLowerCase(), name]),
  ]);
  return text.split(',').map((part) => {
    const name = known.get(part.trim().toLowerCase());
    if (name !== undefined) return name;
    const message = `Could not find a property named '${part.trim()}' on type 'microsoft.graph.${base}'.`;
    throw new GraphError(400, 'RequestBroker--ParseUri', message);
  });
}

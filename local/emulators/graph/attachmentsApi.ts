import { createHash } from 'node:crypto';
import type { FileAttachmentType, PostedAttachment } from './attachmentBody.ts';
import { GraphError, type GraphResponse, itemNotFound, jsonResponse, noContent } from './graphResponse.ts';
import type { GraphCall, GraphWorld } from './graphWorld.ts';
import type { ItemRef, StoredAttachment } from './mailboxStore.ts';

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
  { content, ...declared }: PostedAttachment,
): GraphResponse {
  const { singlePostLimitBytes, singlePostRefusal } = world.settings;
  if (content.length > singlePostLimitBytes) {
    throw singlePostRefusal === 413
      ? new GraphError(413, 'RequestEntityTooLarge', 'The request body is over 4 MB.')
      : new GraphError(400, 'BadRequest', 'The maximum request length supported is 4MB.');
  }
  checkTotalSize(world, item, content.length);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const attachment = world.mailboxes.addAttachment(item, { ...declared, sha256, addedAtMs: world.now() }, content);
  return jsonResponse(call.ids, 201, {
    '@odata.context': `${contextOf(world, call)}/$entity`,
    ...resource(attachment, item.type, content),
  });
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

/** learn.microsoft.com/graph/api/user-list-messages: `$top` is 10 by default and 1,000 at most. */
const DEFAULT_PAGE = 10;
const MAX_PAGE = 1_000;

function readPage(query: URLSearchParams): { readonly top: number; readonly skip: number } {
  const numberOf = (name: string, absent: number) => {
    const [, text] = [...query].find(([key]) => key.toLowerCase() === name) ?? [];
    if (text === undefined) return absent;
    return /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  };
  const top = numberOf('$top', DEFAULT_PAGE);
  const skip = numberOf('$skip', 0);
  if (top >= 1 && top <= MAX_PAGE && skip >= 0) return { top, skip };
  throw new GraphError(400, 'BadRequest', 'Invalid value specified for $top or $skip.');
}

/** The URL of the next page, with every parameter of this one: learn.microsoft.com/graph/paging */
function nextLink({ url, settings }: GraphWorld, { pathname, query }: GraphCall, skip: number): string {
  const next = new URLSearchParams([...query].filter(([key]) => key.toLowerCase() !== '$skip'));
  const search = `${next}${next.size === 0 ? '' : '&'}$skip=${skip}`.replaceAll('%24', '$').replaceAll('%2C', ',');
  return `${settings.nextLinkBase ?? `${url}${pathname}`}?${search}`;
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
    const content = withBytes ? world.mailboxes.content(attachment.id) : undefined;
    // Reading back a large file has ended so: microsoftgraph/microsoft-graph-docs-contrib#1220.
    if (withBytes && content === undefined) throw new GraphError(504, 'UnknownError', 'The gateway timed out.');
    const complete = resource(attachment, item.type, content);
    return names === undefined ? complete : pick(complete, names);
  });
}

function contextOf(world: GraphWorld, { path }: GraphCall): string {
  return `${world.url}/${path.version}/$metadata#${path.root}('${path.ownerId}')/${path.type}s('${path.keys.at(-1)?.id}')/attachments`;
}

function resource(attachment: StoredAttachment, itemType: string, content: Buffer | undefined): object {
  const { id, name, contentType, size, isInline, contentId, lastModifiedDateTime } = attachment;
  const bytes = content === undefined ? {} : { contentBytes: content.toString('base64') };
  // Exchange reports more than the file's size: 3,483,322 bytes became 3,640,066 in Graph's own sample.
  const shared = { id, lastModifiedDateTime, name, contentType, size: Math.ceil(size * 1.045) };
  return itemType === 'todoTask'
    ? { '@odata.type': '#microsoft.graph.taskFileAttachment', ...shared, ...bytes }
    : {
        '@odata.type': '#microsoft.graph.fileAttachment',
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
  const [, text] = [...query].find(([name]) => /^\$?select$/i.test(name)) ?? [];
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

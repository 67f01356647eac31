import { createHash } from 'node:crypto';
import type { FileAttachmentType, PostedAttachment } from './attachmentBody.ts';
import { bareError, type CallIds, type GraphResponse, graphError, graphHeaders, graphJson } from './graphResponse.ts';
import type { GraphCall, GraphWorld } from './graphWorld.ts';
import type { ItemRef, StoredAttachment } from './mailboxStore.ts';

/** Properties of the types that attachments collections hold (published CSDL); those of derived types want a cast before them. */
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

/** Answers a POST to an item's attachments: the whole file in one call. */
export function postAttachment(
  world: GraphWorld,
  call: GraphCall,
  item: ItemRef,
  posted: PostedAttachment,
): GraphResponse {
  const { ids } = call;
  const { singlePostLimitBytes, singlePostRefusal } = world.settings;
  const { content, contentType, ...declared } = posted;
  if (content.length > singlePostLimitBytes) {
    return singlePostRefusal === 413
      ? graphError(ids, 413, 'RequestEntityTooLarge', 'The request body is over 4 MB.')
      : graphError(ids, 400, 'BadRequest', 'The maximum request length supported is 4MB.');
  }
  const exceeded = refuseOverCeiling(world, ids, item, content.length);
  if (exceeded !== undefined) return exceeded;
  const attachment = world.mailboxes.addAttachment(item, {
    ...declared,
    contentType: contentType ?? 'application/octet-stream',
    sha256: createHash('sha256').update(content).digest('hex'),
    lastModifiedDateTime: new Date(world.now()).toISOString(),
  });
  world.contents.keep(attachment.id, content);
  return graphJson(ids, 201, {
    '@odata.context': `${contextOf(world, call)}/$entity`,
    ...resource(attachment, item.type, content),
  });
}

/** Answers GET of an item's attachments, and GET and DELETE of one. */
export function answerAttachments(world: GraphWorld, call: GraphCall, item: ItemRef): GraphResponse {
  const { ids, method, path } = call;
  const attachments = world.mailboxes.attachments(item.mailboxId, item.id);
  const [, id] = path.rest;
  const one = attachments.find((attachment) => attachment.id === id);
  if (id !== undefined && one === undefined) {
    return graphError(ids, 404, 'ErrorItemNotFound', 'The specified object was not found in the store.');
  }
  if (method === 'DELETE' && one !== undefined) {
    world.mailboxes.removeAttachment(item, one.id);
    return { status: 204, headers: graphHeaders(ids), body: '' };
  }
  if (method !== 'GET') return graphError(ids, 405, 'BadRequest', 'The emulator does not offer this operation.');
  if (one !== undefined) return readAttachments(world, call, item, { attachments: [one], one });
  const page = readPage(call.query);
  if (page === undefined) return graphError(ids, 400, 'BadRequest', 'Invalid value specified for $top or $skip.');
  const end = page.skip + page.top;
  return readAttachments(world, call, item, {
    attachments: attachments.slice(page.skip, end),
    ...(end < attachments.length && { nextLink: nextLink(world, call, end) }),
  });
}

/** Outlook's lists have 10 members in a page where `$top` says nothing, and take up to 1,000: learn.microsoft.com/graph/api/user-list-messages */
const DEFAULT_PAGE = 10;
const MAX_PAGE = 1_000;

function readPage(query: URLSearchParams): { readonly top: number; readonly skip: number } | undefined {
  const numberOf = (name: string, absent: number) => {
    const [, text] = [...query].find(([key]) => key.toLowerCase() === name) ?? [];
    if (text === undefined) return absent;
    return /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  };
  const top = numberOf('$top', DEFAULT_PAGE);
  const skip = numberOf('$skip', 0);
  return top >= 1 && top <= MAX_PAGE && skip >= 0 ? { top, skip } : undefined;
}

/** The whole URL of the next page, with every parameter of this one: learn.microsoft.com/graph/paging */
function nextLink({ url, settings }: GraphWorld, { pathname, query }: GraphCall, skip: number): string {
  const next = new URLSearchParams([...query].filter(([key]) => key.toLowerCase() !== '$skip'));
  const search = `${next}${next.size === 0 ? '' : '&'}$skip=${skip}`.replaceAll('%24', '$').replaceAll('%2C', ',');
  return `${settings.nextLinkBase ?? `${url}${pathname}`}?${search}`;
}

interface Shown {
  readonly attachments: readonly StoredAttachment[];
  /** Set where one attachment is asked for, and not the list. */
  readonly one?: StoredAttachment;
  readonly nextLink?: string;
}

/** The error for a file that makes the message too large, with its bytes so far; undefined where it fits. */
export function refuseOverCeiling(
  world: GraphWorld,
  ids: CallIds,
  item: ItemRef,
  bytes: number,
): GraphResponse | undefined {
  const held = world.mailboxes.attachments(item.mailboxId, item.id).reduce((sum, { size }) => sum + size, 0);
  if (held + bytes <= world.settings.attachmentSizeCeilingBytes) return undefined;
  return bareError(ids, 413, 'ErrorMessageSizeExceeded', 'The message exceeds the maximum supported size.');
}

function readAttachments(
  world: GraphWorld,
  call: GraphCall,
  item: ItemRef,
  { attachments, one, nextLink: next }: Shown,
): GraphResponse {
  const { ids } = call;
  const selection = readSelect(call.query, attachmentTypeOf(item.type));
  if (selection.kind === 'unknown') return graphError(ids, 400, 'RequestBroker--ParseUri', selection.message);
  const { names } = selection;
  // learn.microsoft.com/graph/api/todotask-list-attachments: the list of a task comes without the bytes.
  const withBytes = names?.includes('contentBytes') ?? (one !== undefined || item.type !== 'todoTask');
  const resources: object[] = [];
  for (const attachment of attachments) {
    const content = world.contents.find(attachment.id);
    if (withBytes && content === undefined) {
      // What reading back a large file has come to: microsoftgraph/microsoft-graph-docs-contrib#1220.
      return graphError(ids, 504, 'UnknownError', 'The gateway timed out.');
    }
    const whole = resource(attachment, item.type, withBytes ? content : undefined);
    resources.push(names === undefined ? whole : pick(whole, names));
  }
  const context = contextOf(world, call);
  return one === undefined
    ? graphJson(ids, 200, {
        '@odata.context': context,
        ...(next !== undefined && { '@odata.nextLink': next }),
        value: resources,
      })
    : graphJson(ids, 200, { '@odata.context': `${context}/$entity`, ...resources[0] });
}

function contextOf(world: GraphWorld, { path }: GraphCall): string {
  return `${world.url}/${path.version}/$metadata#${path.root}('${path.ownerId}')/${path.type}s('${path.keys.at(-1)?.id}')/attachments`;
}

function resource(attachment: StoredAttachment, itemType: string, content: Buffer | undefined): object {
  const { id, name, contentType, size, isInline, contentId, lastModifiedDateTime } = attachment;
  const bytes = content === undefined ? {} : { contentBytes: content.toString('base64') };
  // Exchange reports more than the file's length: 3,483,322 bytes became 3,640,066 in Graph's own sample.
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

/** The type of a derived entity is always named. */
function pick(whole: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(whole).filter(([name]) => name === '@odata.type' || names.includes(name)));
}

type Selection =
  /** `names` is undefined where nothing was selected: all members. */
  | { readonly kind: 'selected'; readonly names: readonly string[] | undefined }
  | { readonly kind: 'unknown'; readonly message: string };

/**
 * Reads `$select`. A property of the derived type alone is unknown without a cast, as in
 * `microsoft.graph.fileAttachment/contentId` (microsoftgraph/microsoft-graph-explorer-v4#3916).
 */
function readSelect(query: URLSearchParams, type: keyof typeof SELECTABLE): Selection {
  const { base, own, derived } = SELECTABLE[type];
  const [, text] = [...query].find(([name]) => /^\$?select$/i.test(name)) ?? [];
  if (text === undefined || text.trim() === '*') return { kind: 'selected', names: undefined };
  const known = new Map<string, string>([
    ...own.map((name): [string, string] => [name.toLowerCase(), name]),
    ...derived.map((name): [string, string] => [`microsoft.graph.${type}/${name}`.toLowerCase(), name]),
  ]);
  const asked = text.split(',').map((name) => name.trim());
  const unknown = asked.find((name) => !known.has(name.toLowerCase()));
  if (unknown !== undefined) {
    return {
      kind: 'unknown',
      message: `Could not find a property named '${unknown}' on type 'microsoft.graph.${base}'.`,
    };
  }
  return { kind: 'selected', names: asked.flatMap((name) => known.get(name.toLowerCase()) ?? []) };
}

import type { IncomingMessage } from 'node:http';
import type { GraphPath } from '../graph/graphPath.ts';
import type { GraphWorld } from '../graph/graphWorld.ts';
import type { ItemRef } from '../graph/mailboxStore.ts';
import type { UploadSession } from '../graph/sessionStore.ts';

/** A request to an uploadUrl. */
export interface UploadCall {
  readonly method: string;
  readonly authorization: string | undefined;
  /** Undefined if the session does not exist. */
  readonly session: UploadSession | undefined;
  /** A To Do session is on Graph itself. */
  readonly isTodo: boolean;
  /** To Do only: the path ended in `/content`. */
  readonly isContent: boolean;
  readonly authtoken: string | undefined;
  readonly range: ContentRange | undefined;
}

/** Offsets as in Content-Range: `end` is the last byte. */
export interface ContentRange {
  readonly start: number;
  readonly end: number;
  readonly total: number;
}

const TENANT_ID = '5d6ae1c5-5c76-4cd2-92f5-9c4cd04ba4b5';
const CONTENT_RANGE = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/;

/** As live upload hosts write it, not encoded: a mailbox key of `{oid}@{tenant}`, keys in parentheses, a quote doubled. */
export function outlookItemPath(item: ItemRef): string {
  const collection = `${item.type}s`;
  return `/api/gv1.0/${item.owner}('${quoted(item.mailboxId)}@${TENANT_ID}')/${collection}('${quoted(item.id)}')`;
}

/** A To Do session stays on Graph: learn.microsoft.com/graph/todo-attachments. Not encoded. */
export function todoTaskPath({ version, ownerId, keys }: GraphPath): string {
  const [list, task] = keys;
  return `/${version}/users/${ownerId}/todo/lists/${list?.id}/tasks/${task?.id}`;
}

/** `base` is the emulator's URL. */
export function uploadUrl(base: string, session: UploadSession): string {
  const query = session.authtoken === undefined ? '' : `?authtoken=${session.authtoken}`;
  return `${base}${encodePath(session.path)}${query}`;
}

export function encodePath(path: string): string {
  const encode = (segment: string) => encodeURIComponent(segment).replaceAll('%40', '@').replaceAll('%3D', '=');
  return path.split('/').map(encode).join('/');
}

/** Seven fractional digits, as Exchange writes them. */
export function expirationDateTime(session: UploadSession): string {
  return new Date(session.expiresAtMs).toISOString().replace('Z', '0000Z');
}

/** Recognises uploadUrls of both services; undefined for other paths. */
export function readUploadCall(world: GraphWorld, request: IncomingMessage): UploadCall | undefined {
  if (!/\/attachmentSessions/i.test(request.url ?? '')) return undefined;
  const url = new URL(request.url ?? '/', world.url);
  const path = safeDecode(url.pathname);
  const [, outlookId, todoId, content] =
    /\/attachmentSessions(?:\('([^']*)'\)|\/([^/]+?)(\/content)?)\/?$/i.exec(path) ?? [];
  const id = outlookId ?? todoId;
  if (id === undefined) return undefined;
  const session = world.sessions.find(id);
  const sessionPath = content === undefined ? path : path.slice(0, -content.length);
  return {
    method: request.method ?? '',
    authorization: request.headers.authorization,
    session: session?.path === sessionPath ? session : undefined,
    isTodo: !path.startsWith('/api/'),
    isContent: content !== undefined,
    authtoken: url.searchParams.get('authtoken') ?? undefined,
    range: readRange(request.headers['content-range']),
  };
}

function readRange(header: string | undefined): ContentRange | undefined {
  const [start, end, total] = (CONTENT_RANGE.exec(header ?? '') ?? []).slice(1).map(Number);
  return start === undefined || end === undefined || total === undefined ? undefined : { start, end, total };
}

function safeDecode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function quoted(key: string): string {
  return key.replaceAll("'", "''");
}

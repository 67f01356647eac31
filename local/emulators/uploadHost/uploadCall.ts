import type { IncomingMessage } from 'node:http';
import type { ChunkPlace } from '../errors/errorPlan.ts';
import type { ChunkChoice } from '../errors/uploadErrors.ts';
import type { GraphWorld } from '../graph/graphWorld.ts';
import type { UploadSession } from '../graph/sessionStore.ts';

/** A request to an uploadUrl, with its session when there is one. */
export interface UploadCall {
  readonly method: string;
  readonly authorization: string | undefined;
  readonly session: UploadSession | undefined;
  /** A To Do session lies on Graph itself. */
  readonly isTodo: boolean;
  /** To Do alone: the path ended in `/content`. */
  readonly isContent: boolean;
  readonly authtoken: string | undefined;
  readonly range: ContentRange | undefined;
}

/** Offsets as Content-Range writes them: `end` is the last byte. */
export interface ContentRange {
  readonly start: number;
  readonly end: number;
  readonly total: number;
}

const CONTENT_RANGE = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/;

/** Recognises uploadUrls of either kind; undefined for every other path. */
export function readUploadCall(world: GraphWorld, request: IncomingMessage): UploadCall | undefined {
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
    method: request.method ?? '',
    authorization: request.headers.authorization,
    session: session?.path === wanted ? session : undefined,
    isTodo: !path.startsWith('/api/'),
    isContent: content !== undefined,
    authtoken: url.searchParams.get('authtoken') ?? undefined,
    range: readRange(request.headers['content-range']),
  };
}

/** Where a PUT stands in its session and file; undefined for other calls. Call it once for each PUT: it counts. */
export function placePiece({ method, session, range }: UploadCall): ChunkPlace | undefined {
  if (method !== 'PUT' || session === undefined) return undefined;
  const index = session.puts;
  session.puts += 1;
  return { index, places: range === undefined ? [] : placesOf(range) };
}

function placesOf({ start, end, total }: ContentRange): ChunkChoice[] {
  const isFirst = start === 0;
  const isLast = end + 1 === total;
  if (!isFirst && !isLast) return ['middle'];
  return [...(isFirst ? ['first' as const] : []), ...(isLast ? ['last' as const] : [])];
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

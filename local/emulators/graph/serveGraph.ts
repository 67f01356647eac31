import { setTimeout as sleep } from 'node:timers/promises';
import { readBody } from '../../listen.ts';
import type { Caller } from '../common/tokenRegistry.ts';
import type { ActiveError } from '../errors/errorPlan.ts';
import { PlayRequestError } from '../errors/errorRequest.ts';
import { serveUpload } from '../uploadHost/serveUpload.ts';
import { readUploadCall } from '../uploadHost/uploadUrl.ts';
import { checkBearer } from './checkBearer.ts';
import { handleGraphCall, isAttachments, playPointOf } from './graphApi.ts';
import { type GraphPath, parseGraphPath } from './graphPath.ts';
import { GraphError } from './graphResponse.ts';
import { DEFAULT_SETTINGS, type GraphWorld } from './graphWorld.ts';
import type { RequestContext } from './requestLog.ts';
import { sendResponse } from './sendResponse.ts';

/** Graph accepts request bodies of up to 4 MB: learn.microsoft.com/graph/use-the-api. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
const MAX_RECORDED_CHARACTERS = 65_536;
/** The JSON around the bytes of an attachment. */
const JSON_ROOM_BYTES = 65_536;

/** Serves one request to Graph or to the upload host: reads it, waits for the latency, responds or plays its error. */
export async function serveGraph(world: GraphWorld, context: RequestContext): Promise<void> {
  const { request, response } = context;
  try {
    const upload = readUploadCall(world, request);
    await (upload === undefined ? serveCall(world, context) : serveUpload(world, context, upload));
  } catch (error) {
    // If the client leaves, reading the body fails. The request is recorded and has no response.
    if (response.destroyed || response.headersSent) return;
    sendResponse(context, 'graph', () => {
      throw toGraphError(error);
    });
  }
}

function toGraphError(error: unknown): GraphError {
  if (error instanceof GraphError) return error;
  if (error instanceof PlayRequestError) return new GraphError(400, 'BadRequest', error.message);
  return new GraphError(500, 'InternalServerError', error instanceof Error ? error.message : 'unknown');
}

async function serveCall(world: GraphWorld, context: RequestContext): Promise<void> {
  const { request, ids, record } = context;
  const bearer = checkBearer(world, request.headers.authorization);
  if (bearer.kind === 'accepted') record.caller = bearer.caller;
  const path = readPath(request.url ?? '/', record.caller);
  if (!(path instanceof GraphError)) context.enter(world.mailboxes.find(path, true).mailboxId, 'call');
  const body = await readBody(context.body(), maxBodyBytes(world, path));
  if (body !== undefined && body.length <= MAX_RECORDED_CHARACTERS) record.body = body;
  if (world.settings.latencyMs > 0) await sleep(world.settings.latencyMs);
  if (bearer.kind === 'denied') throw bearer.error;
  if (path instanceof GraphError) throw path;
  if (body === undefined) throw new GraphError(413, 'RequestEntityTooLarge', 'The request body is over 4 MB.');
  const method = request.method ?? '';
  const [pathname = '', search] = request.url?.split('?', 2) ?? [];
  const query = new URLSearchParams(search);
  const contentType = request.headers['content-type'];
  const call = { method, path, caller: bearer.caller, pathname, query, ids, contentType, body };
  sendResponse(context, 'graph', () => handleGraphCall(world, call), takeError(world, method, path));
}

function takeError(world: GraphWorld, method: string, path: GraphPath): ActiveError | undefined {
  const point = playPointOf(method, path);
  if (point === undefined) return undefined;
  return world.errors.take({ point, ids: [path.ownerId, ...path.keys.map(({ id }) => id)] });
}

/** The limit for bodies rises with the one for attachments: some tenants accept more than 3 MiB. */
function maxBodyBytes({ settings }: GraphWorld, path: GraphPath | GraphError): number {
  if (path instanceof GraphError || !isAttachments(path)) return MAX_BODY_BYTES;
  const needed = 4 * Math.ceil(settings.singlePostLimitBytes / 3) + JSON_ROOM_BYTES;
  return settings.singlePostLimitBytes > DEFAULT_SETTINGS.singlePostLimitBytes ? needed : MAX_BODY_BYTES;
}

/** With a user's token, `me` is that user. */
function readPath(target: string, caller: Caller | undefined): GraphPath | GraphError {
  try {
    const path = parseGraphPath(target.split('?', 1)[0] ?? '');
    return path.root === 'me' && caller?.kind === 'user' ? { ...path, root: 'users', ownerId: caller.userId } : path;
  } catch (error) {
    if (error instanceof GraphError) return error;
    throw error;
  }
}

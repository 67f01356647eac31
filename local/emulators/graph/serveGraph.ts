import { setTimeout as sleep } from 'node:timers/promises';
import { readBody } from '../common/listen.ts';
import type { Caller } from '../common/tokenRegistry.ts';
import type { ActiveError } from '../errors/errorPlan.ts';
import { PlayRequestError } from '../errors/errorRequest.ts';
import { serveUpload } from '../uploadHost/serveUpload.ts';
import { readUploadCall } from '../uploadHost/uploadCall.ts';
import { checkBearer } from './checkBearer.ts';
import { answerGraph, isAttachments, playPointOf } from './graphApi.ts';
import { type GraphPath, GraphPathError, parseGraphPath } from './graphPath.ts';
import { graphError } from './graphResponse.ts';
import { DEFAULT_SETTINGS, type GraphWorld } from './graphWorld.ts';
import type { RequestContext } from './requestContext.ts';
import { sendResponse } from './sendResponse.ts';

/** Graph takes request bodies of up to 4 MB: learn.microsoft.com/graph/use-the-api. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
const MAX_RECORDED_CHARACTERS = 65_536;
/** What JSON puts around the bytes of an attachment. */
const JSON_ROOM_BYTES = 65_536;

/** Serves one request to Graph or to the upload host: reads it, waits the latency, answers it or plays its fault. */
export async function serveGraph(world: GraphWorld, exchange: RequestContext): Promise<void> {
  const { request, response, ids } = exchange;
  try {
    const upload = readUploadCall(world, request);
    await (upload === undefined ? serveCall(world, exchange) : serveUpload(world, exchange, upload));
  } catch (error) {
    // A client that leaves while its body is read makes the read fail; it is recorded, and cannot be answered.
    if (response.destroyed || response.headersSent) return;
    const message = error instanceof Error ? error.message : 'unknown';
    const status = error instanceof GraphPathError || error instanceof PlayRequestError ? 400 : 500;
    sendResponse(exchange, () =>
      graphError(ids, status, status === 400 ? 'BadRequest' : 'InternalServerError', message),
    );
  }
}

async function serveCall(world: GraphWorld, exchange: RequestContext): Promise<void> {
  const { request, ids, record } = exchange;
  const bearer = checkBearer(world, ids, request.headers.authorization);
  if (bearer.kind === 'accepted') record.caller = bearer.caller;
  const path = withoutMe(tryParse(request.url ?? '/'), record.caller);
  if (!(path instanceof GraphPathError)) exchange.enter(mailboxOf(world, path), 'call');
  const body = await readBody(exchange.body(), maxBodyBytes(world, path));
  if (body !== undefined && body.length <= MAX_RECORDED_CHARACTERS) record.body = body;
  if (world.settings.latencyMs > 0) await sleep(world.settings.latencyMs);
  if (bearer.kind === 'denied') return sendResponse(exchange, () => bearer.answer);
  if (path instanceof GraphPathError) throw path;
  if (body === undefined) {
    return sendResponse(exchange, () =>
      graphError(ids, 413, 'RequestEntityTooLarge', 'The request body is over 4 MB.'),
    );
  }
  const method = request.method ?? '';
  const [pathname = '', search] = request.url?.split('?', 2) ?? [];
  const query = new URLSearchParams(search);
  const contentType = request.headers['content-type'];
  const call = { method, path, caller: bearer.caller, pathname, query, ids, contentType, body };
  const fault = takeFault(world, method, path);
  sendResponse(exchange, () => answerGraph(world, call), fault && { error: fault, speaker: 'graph', now: world.now() });
}

function takeFault(world: GraphWorld, method: string, path: GraphPath): ActiveError | undefined {
  const point = playPointOf(method, path);
  if (point === undefined) return undefined;
  return world.errors.take({ point, ids: [path.ownerId, ...path.keys.map(({ id }) => id)] });
}

/** The limit for bodies rises with the one for attachments: tenants have been seen to take more than 3 MiB. */
function maxBodyBytes({ settings }: GraphWorld, path: GraphPath | GraphPathError): number {
  if (path instanceof GraphPathError || !isAttachments(path)) return MAX_BODY_BYTES;
  const needed = 4 * Math.ceil(settings.singlePostLimitBytes / 3) + JSON_ROOM_BYTES;
  return settings.singlePostLimitBytes > DEFAULT_SETTINGS.singlePostLimitBytes ? needed : MAX_BODY_BYTES;
}

function tryParse(target: string): GraphPath | GraphPathError {
  try {
    return parseGraphPath(target.split('?', 1)[0] ?? '');
  } catch (error) {
    if (error instanceof GraphPathError) return error;
    throw error;
  }
}

/** With a user's token, `me` is that user. */
function withoutMe(path: GraphPath | GraphPathError, caller: Caller | undefined): GraphPath | GraphPathError {
  if (path instanceof GraphPathError || path.root !== 'me' || caller?.kind !== 'user') return path;
  return { ...path, root: 'users', ownerId: caller.userId };
}

function mailboxOf(world: GraphWorld, path: GraphPath): string {
  const found = world.mailboxes.lookUp(path, true);
  return found.kind === 'found' ? found.item.mailboxId : path.ownerId;
}

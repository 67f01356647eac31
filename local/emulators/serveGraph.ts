import { setTimeout as sleep } from 'node:timers/promises';
import { checkBearer } from './checkBearer.ts';
import type { Exchange } from './exchange.ts';
import { type ActiveFault, FaultIdError } from './faultPlan.ts';
import { type Answer, graphError } from './graphAnswer.ts';
import { answerGraph, isCreateUploadSession } from './graphApi.ts';
import { type GraphPath, GraphPathError, parseGraphPath } from './graphPath.ts';
import type { GraphWorld } from './graphWorld.ts';
import { readBody } from './readBody.ts';
import { sendAnswer } from './sendAnswer.ts';
import { answerUpload, readUploadCall, receiveChunk, type UploadCall } from './uploadHost.ts';

/** Graph takes request bodies of up to 4 MB: learn.microsoft.com/graph/use-the-api. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Serves one request to Graph or to the upload host: reads it, waits the latency, answers it or plays its fault. */
export async function serveGraph(world: GraphWorld, exchange: Exchange): Promise<void> {
  const { request, response, ids } = exchange;
  try {
    const upload = readUploadCall(world, request, ids);
    await (upload === undefined ? serveCall(world, exchange) : serveUpload(world, exchange, upload));
  } catch (error) {
    // A client that leaves while its body is read makes the read fail; it is recorded, and cannot be answered.
    if (response.destroyed || response.headersSent) return;
    const message = error instanceof Error ? error.message : 'unknown';
    const status = error instanceof GraphPathError || error instanceof FaultIdError ? 400 : 500;
    deliver(world, exchange, () =>
      graphError(ids, status, status === 400 ? 'BadRequest' : 'InternalServerError', message),
    );
  }
}

async function serveCall(world: GraphWorld, exchange: Exchange): Promise<void> {
  const { request, ids, record } = exchange;
  const path = tryParse(request.url ?? '/');
  if (!(path instanceof GraphPathError)) exchange.enter(mailboxOf(world, path));
  const body = await readBody(request, MAX_BODY_BYTES);
  record.body = body ?? '';
  if (world.settings.latencyMs > 0) await sleep(world.settings.latencyMs);
  const denied = checkBearer(world, ids, request.headers.authorization);
  if (denied !== undefined) return deliver(world, exchange, () => denied);
  if (path instanceof GraphPathError) throw path;
  if (body === undefined) {
    return deliver(world, exchange, () =>
      graphError(ids, 413, 'RequestEntityTooLarge', 'The request body is over 4 MB.'),
    );
  }
  const pathIds = [path.ownerId, ...path.keys.map(({ id }) => id)];
  const fault = isCreateUploadSession(path) ? world.faults.take(pathIds, 'create') : undefined;
  const call = { method: request.method ?? '', path, ids, contentType: request.headers['content-type'], body };
  deliver(world, exchange, () => answerGraph(world, call), fault);
}

async function serveUpload(world: GraphWorld, exchange: Exchange, call: UploadCall): Promise<void> {
  const chunk = await receiveChunk(call);
  if (world.settings.latencyMs > 0) await sleep(world.settings.latencyMs);
  const itemIds = call.session === undefined ? [] : [call.session.item.mailboxId, call.session.item.id];
  const fault = world.faults.take(itemIds, 'upload');
  deliver(world, exchange, () => answerUpload(world, call, chunk), fault);
}

function deliver(world: GraphWorld, exchange: Exchange, compute: () => Answer, fault?: ActiveFault): void {
  const { response, record } = exchange;
  if (response.destroyed) return;
  if (fault !== undefined) record.fault = fault.name;
  sendAnswer(exchange, compute, fault, world.now());
  if (response.headersSent) record.status = response.statusCode;
}

function tryParse(target: string): GraphPath | GraphPathError {
  try {
    return parseGraphPath(target.split('?', 1)[0] ?? '');
  } catch (error) {
    if (error instanceof GraphPathError) return error;
    throw error;
  }
}

function mailboxOf(world: GraphWorld, path: GraphPath): string {
  const found = world.mailboxes.lookUp(path, true);
  return found.kind === 'found' ? found.item.mailboxId : path.ownerId;
}

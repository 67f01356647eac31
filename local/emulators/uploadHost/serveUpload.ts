import { setTimeout as sleep } from 'node:timers/promises';
import type { ActiveError } from '../errors/errorPlan.ts';
import { checkBearer } from '../graph/checkBearer.ts';
import type { GraphWorld } from '../graph/graphWorld.ts';
import type { RequestContext } from '../graph/requestContext.ts';
import { sendResponse } from '../graph/sendResponse.ts';
import type { UploadSession } from '../graph/sessionStore.ts';
import { answerUpload } from './handleUpload.ts';
import { receivePiece } from './receivePiece.ts';
import { placePiece, type UploadCall } from './uploadCall.ts';

/** Serves one request to an uploadUrl. Its fault is chosen before the body comes in, since it may break the body off. */
export async function serveUpload(world: GraphWorld, exchange: RequestContext, call: UploadCall): Promise<void> {
  const { session, isTodo } = call;
  const { settings } = world;
  const piece = placePiece(call);
  const bearer = checkBearer(world, exchange.ids, call.authorization);
  if (isTodo && bearer.kind === 'accepted') exchange.record.caller = bearer.caller;
  if (session !== undefined && piece !== undefined) exchange.enter(session.item.mailboxId, 'piece');
  const fault = takeFault(world, session, piece);
  if (fault !== undefined) exchange.record.error = fault.name;
  const { behaviour } = fault ?? {};
  if (behaviour?.kind === 'session' && session !== undefined) changeSession(world, session, behaviour.becomes);
  const breaksOff = behaviour?.kind === 'reset' && behaviour.at === 'inRequestBody';
  const received = await receivePiece(exchange, call, settings, breaksOff);
  if (received === undefined) return;
  const latencyMs = settings.latencyMs + (piece === undefined ? 0 : settings.uploadLatencyMs);
  if (latencyMs > 0) await sleep(latencyMs);
  sendResponse(
    exchange,
    () => answerUpload(world, exchange.ids, call, bearer, received),
    fault && { error: fault, speaker: isTodo ? 'graph' : 'uploadHost', now: world.now() },
  );
}

function takeFault(
  world: GraphWorld,
  session: UploadSession | undefined,
  piece: ReturnType<typeof placePiece>,
): ActiveError | undefined {
  const ids = session === undefined ? [] : [session.item.mailboxId, session.item.id];
  return world.errors.take({ point: 'upload', ids, ...(piece === undefined ? {} : { chunk: piece }) });
}

function changeSession(world: GraphWorld, session: UploadSession, becomes: 'gone' | 'expired' | 'notFound'): void {
  switch (becomes) {
    case 'gone':
      world.sessions.remove(session.id);
      break;
    case 'expired':
      session.expiresAtMs = world.now();
      break;
    case 'notFound':
      session.isLost = true;
      break;
  }
}

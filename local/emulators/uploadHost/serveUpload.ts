import { setTimeout as sleep } from 'node:timers/promises';
import type { ChunkPlace } from '../errors/errorPlan.ts';
import type { ChunkChoice } from '../errors/namedErrors.ts';
import { checkBearer } from '../graph/checkBearer.ts';
import type { GraphSettings, GraphWorld } from '../graph/graphWorld.ts';
import type { RequestContext } from '../graph/requestLog.ts';
import { sendResponse } from '../graph/sendResponse.ts';
import type { UploadSession } from '../graph/sessionStore.ts';
import { handleUpload, type ReceivedChunk } from './handleUpload.ts';
import type { ContentRange, UploadCall } from './uploadUrl.ts';

/** Serves one request to an uploadUrl. It chooses the error before it reads the body, because the error may end the body. */
export async function serveUpload(world: GraphWorld, context: RequestContext, call: UploadCall): Promise<void> {
  const { session, isTodo } = call;
  const { settings } = world;
  const place = placeOf(call);
  const bearer = checkBearer(world, call.authorization);
  if (isTodo && bearer.kind === 'accepted') context.record.caller = bearer.caller;
  if (session !== undefined && place !== undefined) context.enter(session.item.mailboxId, 'chunk');
  const ids = session === undefined ? [] : [session.item.mailboxId, session.item.id];
  const error = world.errors.take({ point: 'upload', ids, chunk: place });
  if (error !== undefined) context.record.error = error.name;
  const { behaviour } = error ?? {};
  if (behaviour?.kind === 'session' && session !== undefined) changeSession(world, session, behaviour.becomes);
  const breaksOff = behaviour?.kind === 'reset' && behaviour.at === 'inRequestBody';
  const chunk = await receiveChunk(context, call, settings, breaksOff);
  if (chunk === undefined) return;
  const latencyMs = settings.latencyMs + (place === undefined ? 0 : settings.uploadLatencyMs);
  if (latencyMs > 0) await sleep(latencyMs);
  const service = isTodo ? 'graph' : 'uploadHost';
  sendResponse(context, service, () => handleUpload(world, context.ids, call, bearer, chunk), error);
}

/** The place of a PUT in its session and file; undefined for other calls. It counts the PUT. */
function placeOf({ method, session, range }: UploadCall): ChunkPlace | undefined {
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

function changeSession(world: GraphWorld, session: UploadSession, becomes: 'gone' | 'expired' | 'notFound'): void {
  if (becomes === 'gone') world.sessions.remove(session.id);
  if (becomes === 'expired') session.expiresAtMs = world.now();
  if (becomes === 'notFound') session.isLost = true;
}

/**
 * Reads the body to its end, no faster than the settings allow. With `breaksOff` it resets the connection when half of the
 * body has arrived, and returns undefined.
 */
async function receiveChunk(
  context: RequestContext,
  { session, range }: UploadCall,
  settings: GraphSettings,
  breaksOff: boolean,
): Promise<ReceivedChunk | undefined> {
  const hash = session?.hash.copy();
  const half = range === undefined ? 0 : (range.end - range.start + 1) / 2;
  const receivedBefore = session?.received ?? 0;
  const startedAt = performance.now();
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of context.body()) {
    bytes += part.length;
    if (breaksOff && bytes >= half) {
      context.abort('reset');
      return undefined;
    }
    if (bytes <= settings.maxChunkBytes) {
      hash?.update(part);
      if (session?.parts !== undefined) parts.push(part);
    }
    const { uploadBytesPerSecond } = settings; // May change while a chunk arrives.
    if (uploadBytesPerSecond > 0) {
      // While this waits, nothing is read, and TCP slows the sender down.
      const early = startedAt + (bytes / uploadBytesPerSecond) * 1000 - performance.now();
      if (early > 0) await sleep(early, undefined, { ref: false });
    }
  }
  return { bytes, receivedBefore, hash, parts };
}

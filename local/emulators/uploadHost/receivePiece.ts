import type { Hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GraphSettings } from '../graph/graphWorld.ts';
import type { RequestContext } from '../graph/requestContext.ts';
import type { UploadCall } from './uploadCall.ts';

/** The bytes of one PUT, hashed onto what came before; nothing is committed yet. */
export interface ReceivedPiece {
  readonly bytes: number;
  /** How much the session held when the piece began to come in. */
  readonly heldBefore: number;
  readonly hash: Hash | undefined;
  /** The bytes themselves, where the session keeps them. */
  readonly parts: readonly Buffer[];
}

/**
 * Reads the body to its end, no faster than the settings say. Of a long file only the hash of the bytes is kept. With `breaksOff` the
 * connection is reset when half of the body has come in, and the answer is undefined.
 */
export async function receivePiece(
  exchange: RequestContext,
  { session, range }: UploadCall,
  settings: GraphSettings,
  breaksOff: boolean,
): Promise<ReceivedPiece | undefined> {
  const hash = session?.hash.copy();
  const half = range === undefined ? 0 : (range.end - range.start + 1) / 2;
  const heldBefore = session?.received ?? 0;
  const startedAt = performance.now();
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of exchange.body()) {
    bytes += part.length;
    if (breaksOff && bytes >= half) {
      exchange.cut('reset');
      return undefined;
    }
    if (bytes <= settings.maxChunkBytes) {
      hash?.update(part);
      if (session?.parts !== undefined) parts.push(part);
    }
    const { uploadBytesPerSecond } = settings; // May be changed while a piece comes in.
    if (uploadBytesPerSecond > 0) {
      // While this waits nothing is read, and TCP holds the sender back.
      const early = startedAt + (bytes / uploadBytesPerSecond) * 1000 - performance.now();
      if (early > 0) await sleep(early, undefined, { ref: false });
    }
  }
  return { bytes, heldBefore, hash, parts };
}

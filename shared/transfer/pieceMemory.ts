import { MAX_PIECE_BYTES } from '../limits.ts';

/** How many are kept for the next pieces. */
const MAX_FREE = 8;

/**
 * Memory for whole pieces, used again and again: V8 answers memory outside its heap that comes and goes in such amounts with one
 * full collection after another, a third of what a file costs.
 */
const free: Buffer[] = [];

/** Its bytes are whatever was there before. */
export function takePieceMemory(bytes: number): Buffer {
  const memory = free.pop() ?? Buffer.allocUnsafeSlow(MAX_PIECE_BYTES);
  return memory.subarray(0, bytes);
}

/** To be called only where nothing can read it any more. */
export function freePieceMemory({ buffer }: Buffer): void {
  if (free.length < MAX_FREE) free.push(Buffer.from(buffer));
}

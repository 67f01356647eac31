import type { ByteSource } from './byteSource.ts';

/** All bytes of a small source, for a call that takes them at once. @throws what the source throws */
export async function readWhole(source: ByteSource, signal: AbortSignal): Promise<readonly Buffer[]> {
  const chunks: Buffer[] = [];
  for (let chunk = await source.read(signal); chunk !== undefined; chunk = await source.read(signal)) {
    chunks.push(chunk);
  }
  return chunks;
}

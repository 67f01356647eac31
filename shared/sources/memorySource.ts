import type { ByteSource } from './byteSource.ts';

/** Bytes that are in memory already. They stay there, so that another source can be made of them where they are sent anew. */
export function createMemorySource(chunks: readonly Buffer[]): ByteSource {
  const pending = chunks.filter((chunk) => chunk.length > 0);
  return {
    sizeBytes: pending.reduce((total, chunk) => total + chunk.length, 0),
    async read(signal) {
      signal.throwIfAborted();
      return pending.shift();
    },
  };
}

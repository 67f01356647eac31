import type { ByteSource } from '../source/byteSource.ts';

/** Takes bytes from a source in the amounts that are wanted; what a chunk holds beyond that is kept for the next. */
export class ChunkReader {
  readonly #source: ByteSource;
  #rest: Buffer | undefined;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** At least one byte and at most so many; undefined at the end. @throws what the source throws */
  async take(mostBytes: number, signal: AbortSignal): Promise<Buffer | undefined> {
    const chunk = this.#rest ?? (await this.#source.read(signal));
    this.#rest = undefined;
    if (chunk === undefined || chunk.byteLength <= mostBytes) return chunk;
    this.#rest = chunk.subarray(mostBytes);
    return chunk.subarray(0, mostBytes);
  }

  async skip(bytes: number, signal: AbortSignal): Promise<void> {
    for (let left = bytes; left > 0; ) {
      const chunk = await this.take(left, signal);
      if (chunk === undefined) return;
      left -= chunk.byteLength;
    }
  }
}

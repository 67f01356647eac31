import type { ByteSource } from '../sources/byteSource.ts';

/**
 * Reads a source in chunks that are in memory as a whole, so that a chunk can be sent again. While one chunk is being sent the
 * next one is read: two buffers take turns. A new buffer for each chunk of a large file would cost V8 one full garbage
 * collection after another.
 */
export class ChunkBuffer {
  readonly #source: ByteSource;
  /** Bytes that the source gave beyond the end of the last chunk. */
  #rest: Buffer | undefined;
  #free: Buffer | undefined;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Reads a chunk of exactly this size. @throws what the source throws */
  async read(bytes: number, signal: AbortSignal): Promise<Buffer> {
    const chunk = this.#allocate(bytes);
    for (let filledBytes = 0; filledBytes < bytes; ) {
      const part = await this.#take(bytes - filledBytes, signal);
      if (part === undefined) throw new TypeError('The source ended before its length.');
      filledBytes += part.copy(chunk, filledBytes);
    }
    return chunk;
  }

  /** Lets the source check that it has no more bytes than it declared. @throws what the source throws */
  async readEnd(signal: AbortSignal): Promise<void> {
    await this.#take(1, signal);
  }

  /** Passes over bytes that Graph has already. */
  async skip(bytes: number, signal: AbortSignal): Promise<void> {
    for (let left = bytes; left > 0; ) {
      const part = await this.#take(left, signal);
      if (part === undefined) return;
      left -= part.byteLength;
    }
  }

  /** Lets a later chunk use the memory of this one. Call it only if nothing can read the chunk any more. */
  release({ buffer }: Buffer): void {
    this.#free = Buffer.from(buffer);
  }

  #allocate(bytes: number): Buffer {
    const free = this.#free;
    this.#free = undefined;
    return free !== undefined && free.byteLength >= bytes ? free.subarray(0, bytes) : Buffer.allocUnsafeSlow(bytes);
  }

  async #take(maxBytes: number, signal: AbortSignal): Promise<Buffer | undefined> {
    const part = this.#rest ?? (await this.#source.read(signal));
    this.#rest = undefined;
    if (part === undefined || part.byteLength <= maxBytes) return part;
    this.#rest = part.subarray(maxBytes);
    return part.subarray(0, maxBytes);
  }
}

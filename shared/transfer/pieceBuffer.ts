import { Readable } from 'node:stream';
import { untilAborted } from '../deadline.ts';

/**
 * One piece of a file: kept whole until Graph has answered, and sent on while it still comes in. Its last bytes are held
 * back until `release`, so that Graph cannot have the piece before the caller of this says so.
 */
export class PieceBuffer {
  readonly lengthBytes: number;
  readonly #chunks: Buffer[] = [];
  #filledBytes = 0;
  #isReleased = false;
  readonly #waiting = new Set<() => void>();

  constructor(lengthBytes: number) {
    this.lengthBytes = lengthBytes;
  }

  get missingBytes(): number {
    return this.lengthBytes - this.#filledBytes;
  }

  /** Whether Graph may have had the whole of it. */
  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** At most `missingBytes` more. */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#filledBytes += chunk.byteLength;
    this.#wake();
  }

  /** All bytes are there, and the last of them may go. */
  release(): void {
    this.#isReleased = true;
    this.#wake();
  }

  /** Settles once so many bytes are there. @throws the signal's reason */
  async untilFilled(bytes: number, signal: AbortSignal): Promise<void> {
    while (this.#filledBytes < bytes) {
      await untilAborted(new Promise<void>((resolve) => this.#waiting.add(resolve)), signal);
    }
  }

  /** A new stream over the whole piece, from its beginning, for one attempt. @param onTaken is called as its bytes go */
  stream(onTaken: () => void): Readable {
    let next = 0;
    const read = () => {
      const chunk = this.#chunks[next];
      const isLast = next === this.#chunks.length - 1 && this.missingBytes === 0;
      if (chunk === undefined && this.#isReleased) {
        stream.push(null);
      } else if (chunk === undefined || (isLast && !this.#isReleased)) {
        this.#waiting.add(read);
      } else {
        next += 1;
        onTaken();
        stream.push(chunk);
      }
    };
    const stream = new Readable({
      read,
      destroy: (error, done) => {
        this.#waiting.delete(read);
        done(error);
      },
    });
    return stream;
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}

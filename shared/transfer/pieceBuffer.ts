import { Readable } from 'node:stream';
import { untilAborted } from '../deadline.ts';
import { freePieceMemory, takePieceMemory } from './pieceMemory.ts';

/** The most that an attempt hands over at once: each of them shows that the piece moves. */
const MAX_STEP_BYTES = 256 * 1024;

/** One TLS record. */
const HELD_BACK_BYTES = 16 * 1024;

/**
 * One piece of a file: kept whole until Graph has answered, and sent on while it still comes in. Its last bytes are held
 * back until `release`, so that Graph cannot have the piece before the caller of this says so.
 *
 * The bytes are copied into one buffer: the small ones they come in, kept until the answer, would cost the collector more than the
 * copy does.
 */
export class PieceBuffer {
  readonly lengthBytes: number;
  readonly #bytes: Buffer;
  #filledBytes = 0;
  #isReleased = false;
  #attempts = 0;
  #isHandedOver = false;
  readonly #waiting = new Set<() => void>();

  constructor(lengthBytes: number) {
    this.lengthBytes = lengthBytes;
    this.#bytes = takePieceMemory(lengthBytes);
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
    this.#filledBytes += chunk.copy(this.#bytes, this.#filledBytes);
    this.#wake();
  }

  /** All bytes are there, and the last of them may go. */
  release(): void {
    this.#isReleased = true;
    this.#wake();
  }

  /**
   * Gives the memory back, once Graph has taken the piece. It is left to the collector after more than one attempt, and after an
   * answer that came before the end of the piece: bytes may still be on their way out.
   */
  free(): void {
    if (this.#attempts === 1 && this.#isHandedOver) freePieceMemory(this.#bytes);
  }

  /** Settles once so many bytes are there. @throws the signal's reason */
  async untilFilled(bytes: number, signal: AbortSignal): Promise<void> {
    while (this.#filledBytes < bytes) {
      await untilAborted(new Promise<void>((resolve) => this.#waiting.add(resolve)), signal);
    }
  }

  /** A new stream over the whole piece, from its beginning, for one attempt. @param onTaken is called as its bytes go */
  stream(onTaken: () => void): Readable {
    this.#attempts += 1;
    let sentBytes = 0;
    const read = () => {
      const heldBackBytes = this.#isReleased ? 0 : HELD_BACK_BYTES;
      const readyBytes = Math.min(this.#filledBytes, this.lengthBytes - heldBackBytes, sentBytes + MAX_STEP_BYTES);
      if (sentBytes === this.lengthBytes) {
        this.#isHandedOver = true;
        stream.push(null);
      } else if (readyBytes <= sentBytes) {
        this.#waiting.add(read);
      } else {
        const step = this.#bytes.subarray(sentBytes, readyBytes);
        sentBytes = readyBytes;
        onTaken();
        stream.push(step);
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

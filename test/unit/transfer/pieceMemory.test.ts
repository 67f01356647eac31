import { MAX_PIECE_BYTES } from '../../../shared/limits.ts';
import { freePieceMemory, takePieceMemory } from '../../../shared/transfer/pieceMemory.ts';

/** As many as are kept, and one. */
const PIECES = 9;

describe('takePieceMemory', () => {
  it('gives as many bytes as are asked for, and the memory of a freed piece again', () => {
    const first = takePieceMemory(100);
    freePieceMemory(first);

    const second = takePieceMemory(MAX_PIECE_BYTES);

    expect([first.length, second.length]).toEqual([100, MAX_PIECE_BYTES]);
    expect(second.buffer).toBe(first.buffer);
  });

  it('never gives one memory to two pieces', () => {
    const pieces = Array.from({ length: PIECES }, () => takePieceMemory(10));

    expect(new Set(pieces.map(({ buffer }) => buffer)).size).toBe(PIECES);
  });

  it('keeps no more than eight', () => {
    const pieces = Array.from({ length: PIECES }, () => takePieceMemory(10));
    for (const piece of pieces) freePieceMemory(piece);

    const again = new Set(pieces.map(() => takePieceMemory(10).buffer));

    expect(pieces.filter(({ buffer }) => again.has(buffer))).toHaveLength(PIECES - 1);
  });
});

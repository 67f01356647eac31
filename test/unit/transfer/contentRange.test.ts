import fc from 'fast-check';
import { MAX_CHUNK_BYTES, MAX_SLICE_BYTES } from '../../../shared/common/limits.ts';
import {
  type ByteRange,
  formatContentRange,
  formatHeldRange,
  lengthOf,
  locate,
  nextExpectedRanges,
  parseContentRange,
} from '../../../shared/transfer/contentRange.ts';

const MAX_FILE_BYTES = 2 ** 31 - 1;

/** A range of any file, and how much of the file is held. */
const ranges = fc
  .tuple(fc.integer({ min: 1, max: MAX_FILE_BYTES }), fc.nat(), fc.nat(MAX_SLICE_BYTES))
  .map(([total, start, length]): ByteRange => {
    const first = start % total;
    return { first, last: Math.min(first + length, total - 1), total };
  });
const offsets = fc.oneof(fc.nat(MAX_FILE_BYTES), fc.nat(20_000));

describe('parseContentRange', () => {
  it('reads what formatContentRange writes, and the same with an equals sign', () => {
    fc.assert(
      fc.property(ranges, (range) => {
        const header = formatContentRange(range);

        expect(parseContentRange(header)).toEqual({ kind: 'range', range });
        expect(parseContentRange(header.replace(' ', '='))).toEqual({ kind: 'range', range });
      }),
    );
  });

  it.each(['Bytes 0-9/10', 'bytes  0-9/10', ' bytes 0 - 9 / 10 ', 'bytes = 0-9/10'])('takes %j', (header) => {
    expect(parseContentRange(header)).toEqual({ kind: 'range', range: { first: 0, last: 9, total: 10 } });
  });

  it('refuses a header of 15 kB', () => {
    const header = `bytes ${' '.repeat(15_000)}x`;

    expect(parseContentRange(header)).toEqual({
      kind: 'faulty',
      fault: 'Content-Range is longer than 100 characters',
    });
  });

  it('reads a header of 100 characters', () => {
    expect(parseContentRange('bytes 0-9/10'.padEnd(100))).toMatchObject({ kind: 'range' });
  });

  it.each([
    [undefined, 'Content-Range is missing'],
    ['bytes 0-9/10'.padEnd(101), 'Content-Range is longer than 100 characters'],
    ['bytes 0-9007199254740992/10', 'Content-Range must have the form bytes first-last/total'],
    ['', 'Content-Range must have the form bytes first-last/total'],
    ['0-9/10', 'Content-Range must have the form bytes first-last/total'],
    ['bytes0-9/10', 'Content-Range must have the form bytes first-last/total'],
    ['bytes 0-9/*', 'Content-Range must have the form bytes first-last/total'],
    ['bytes */10', 'Content-Range must have the form bytes first-last/total'],
    ['bytes 0-9/10, bytes 0-9/10', 'Content-Range must have the form bytes first-last/total'],
    ['bytes -1-9/10', 'Content-Range must have the form bytes first-last/total'],
    ['bytes 0-1e1/20', 'Content-Range must have the form bytes first-last/total'],
    ['bytes 0-9999999999999999/99999999999999999', 'Content-Range must have the form bytes first-last/total'],
    ['bytes 9-0/10', 'Content-Range begins after its end'],
    ['bytes 0-10/10', 'Content-Range ends after the last byte of the file'],
    ['bytes 0-0/0', 'Content-Range ends after the last byte of the file'],
  ])('refuses %j', (header, fault) => {
    expect(parseContentRange(header)).toEqual({ kind: 'faulty', fault });
  });
});

describe('locate', () => {
  it('says of each byte whether it is held, missing or the next', () => {
    fc.assert(
      fc.property(ranges, offsets, (range, offset) => {
        const position = locate(range, offset);

        switch (position.kind) {
          case 'ahead':
            expect(range.first).toBeGreaterThan(offset);
            break;
          case 'held':
            expect(range.last).toBeLessThan(offset);
            break;
          case 'next':
            expect(range.first + position.skipBytes).toBe(offset);
            expect(position.skipBytes).toBeLessThan(lengthOf(range));
            break;
        }
      }),
    );
  });

  it.each([
    [0, { kind: 'ahead' }],
    [9, { kind: 'ahead' }],
    [10, { kind: 'next', skipBytes: 0 }],
    [15, { kind: 'next', skipBytes: 5 }],
    [19, { kind: 'next', skipBytes: 9 }],
    [20, { kind: 'held' }],
    [30, { kind: 'held' }],
  ])('of bytes 10 to 19, where %i bytes are held, it is %j', (offset, position) => {
    expect(locate({ first: 10, last: 19, total: 30 }, offset)).toEqual(position);
  });
});

describe('MAX_PIECE_BYTES', () => {
  it('stays below 4 MB and on the grid of 320 KiB', () => {
    expect(MAX_CHUNK_BYTES).toBeLessThan(4_000_000);
    expect(MAX_CHUNK_BYTES % 327_680).toBe(0);
  });
});

describe('what is said of the bytes that are held', () => {
  it.each([
    [0, ['0-9'], undefined],
    [4, ['4-9'], 'bytes=0-3'],
    [9, ['9-9'], 'bytes=0-8'],
    [10, [], 'bytes=0-9'],
  ])('of 10 bytes, %i held', (offset, expected, held) => {
    expect(nextExpectedRanges(offset, 10)).toEqual(expected);
    expect(formatHeldRange(offset)).toBe(held);
  });
});

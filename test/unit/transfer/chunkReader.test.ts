import type { ByteSource } from '../../../shared/source/byteSource.ts';
import { ChunkReader } from '../../../shared/transfer/chunkReader.ts';

const signal = new AbortController().signal;

function readerOf(...chunks: readonly string[]): ChunkReader {
  const left = chunks.map((chunk) => Buffer.from(chunk));
  const source: ByteSource = { sizeBytes: chunks.join('').length, read: async () => left.shift() };
  return new ChunkReader(source);
}

async function takeAll(reader: ChunkReader, mostBytes: number): Promise<string[]> {
  const taken: string[] = [];
  for (let chunk = await reader.take(mostBytes, signal); chunk; chunk = await reader.take(mostBytes, signal)) {
    taken.push(String(chunk));
  }
  return taken;
}

describe('ChunkReader', () => {
  it('takes at most what is wanted, and keeps the rest of a chunk', async () => {
    expect(await takeAll(readerOf('abcdefg', 'h', 'ij'), 3)).toEqual(['abc', 'def', 'g', 'h', 'ij']);
  });

  it('skips over chunks and into one', async () => {
    const reader = readerOf('ab', 'cdef');
    await reader.skip(3, signal);

    expect(await takeAll(reader, 10)).toEqual(['def']);
  });

  it('skips no further than there is', async () => {
    const reader = readerOf('ab');
    await reader.skip(5, signal);

    expect(await reader.take(1, signal)).toBeUndefined();
  });
});

import type { ByteSource } from '../../../shared/sources/byteSource.ts';
import { ChunkBuffer } from '../../../shared/transfer/chunkBuffer.ts';

const { signal } = new AbortController();

function bufferOf(...parts: readonly string[]): ChunkBuffer {
  const left = parts.map((part) => Buffer.from(part));
  const source: ByteSource = { sizeBytes: parts.join('').length, read: async () => left.shift() };
  return new ChunkBuffer(source);
}

async function readAll(buffer: ChunkBuffer, sizes: readonly number[]): Promise<string[]> {
  const chunks: string[] = [];
  for (const size of sizes) chunks.push(String(await buffer.read(size, signal)));
  return chunks;
}

describe('ChunkBuffer', () => {
  it('reads chunks of exactly the wanted size, whatever parts the source gives', async () => {
    expect(await readAll(bufferOf('abcdefg', 'h', 'ij'), [3, 3, 3, 1])).toEqual(['abc', 'def', 'ghi', 'j']);
  });

  it('skips over parts and into one', async () => {
    const buffer = bufferOf('ab', 'cdef');
    await buffer.skip(3, signal);

    expect(await readAll(buffer, [3])).toEqual(['def']);
  });

  it('skips no further than there is', async () => {
    const buffer = bufferOf('ab');
    await buffer.skip(5, signal);

    await expect(buffer.read(1, signal)).rejects.toThrow(TypeError);
  });

  it('rejects a chunk that the source does not fill', async () => {
    await expect(bufferOf('ab').read(3, signal)).rejects.toThrow(TypeError);
  });

  it('gives the failure of the source, in a chunk and at its end', async () => {
    const broken = new ChunkBuffer({ sizeBytes: 3, read: () => Promise.reject(new Error('broken')) });

    await expect(broken.read(3, signal)).rejects.toThrow('broken');
    await expect(broken.readEnd(signal)).rejects.toThrow('broken');
  });

  it('reads a chunk into the memory of a released one, and into no other', async () => {
    const buffer = bufferOf('abcdefghijkl');
    const first = await buffer.read(3, signal);
    const second = await buffer.read(3, signal);
    buffer.release(first);
    const third = await buffer.read(3, signal);
    const fourth = await buffer.read(3, signal);

    expect([String(second), String(third), String(fourth)]).toEqual(['def', 'ghi', 'jkl']);
    expect(third.buffer).toBe(first.buffer);
    expect(new Set([first, second, fourth].map((chunk) => chunk.buffer)).size).toBe(3);
  });

  it('uses the memory of a small chunk for no larger one, and the memory of a large one for a smaller one', async () => {
    const buffer = bufferOf('abcdefghi');
    const small = await buffer.read(2, signal);
    buffer.release(small);
    const large = await buffer.read(4, signal);
    buffer.release(large);
    const last = await buffer.read(3, signal);

    expect(large.buffer).not.toBe(small.buffer);
    expect(last.buffer).toBe(large.buffer);
    expect(String(last)).toBe('ghi');
  });
});

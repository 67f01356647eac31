import { readUnsized } from '../../../shared/sources/unsizedSource.ts';

const { signal } = new AbortController();

function bodyOf(...sizes: number[]) {
  const chunks = sizes.map((size) => Buffer.alloc(size, 'a'));
  return { chunks, read: async () => chunks.shift() };
}

describe('readUnsized', () => {
  it('holds a small body, and knows its length then', async () => {
    const source = await readUnsized(bodyOf(1_000_000, 1_999_999), signal);

    expect(source.sizeBytes).toBe(2_999_999);
    expect((await source.read(signal))?.byteLength).toBe(1_000_000);
  });

  it('asks for the length of a larger one as soon as it is larger', async () => {
    const body = bodyOf(2_000_000, 1_000_000, 1_000_000);

    await expect(readUnsized(body, signal)).rejects.toMatchObject({
      code: 'LengthRequired',
      message: expect.stringContaining('?size='),
    });
    expect(body.chunks).toHaveLength(1);
  });
});

import { createMemorySource } from '../../../shared/sources/memorySource.ts';

const { signal } = new AbortController();

describe('createMemorySource', () => {
  it('gives the bytes in order, then the end', async () => {
    const source = createMemorySource([Buffer.from('ab'), Buffer.alloc(0), Buffer.from('c')]);

    expect(source.sizeBytes).toBe(3);
    expect(String(await source.read(signal))).toBe('ab');
    expect(String(await source.read(signal))).toBe('c');
    expect(await source.read(signal)).toBeUndefined();
    expect(await source.read(signal)).toBeUndefined();
  });

  it('can be made again of the same chunks', async () => {
    const chunks = [Buffer.from('ab')];
    await createMemorySource(chunks).read(signal);

    expect(String(await createMemorySource(chunks).read(signal))).toBe('ab');
  });

  it('fails with the reason of the signal', async () => {
    const reason = new Error('over');

    await expect(createMemorySource([Buffer.from('a')]).read(AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

import { ServiceError } from '../../../shared/errors.ts';
import { createRequestSource } from '../../../shared/sources/bodySource.ts';

const { signal } = new AbortController();

function bodyOf(...texts: string[]) {
  const chunks = texts.map((text) => Buffer.from(text));
  return { read: async () => chunks.shift() };
}

async function readAll(source: ReturnType<typeof createRequestSource>): Promise<string> {
  let text = '';
  for (let chunk = await source.read(signal); chunk !== undefined; chunk = await source.read(signal)) {
    expect(chunk.length).toBeGreaterThan(0);
    text += chunk;
  }
  return text;
}

describe('createRequestSource', () => {
  it('gives the bytes in order, and the end again and again', async () => {
    const source = createRequestSource(bodyOf('ab', '', 'c'), 3);

    expect(source.sizeBytes).toBe(3);
    expect(await readAll(source)).toBe('abc');
    expect(await source.read(signal)).toBeUndefined();
  });

  it('takes an empty body for an empty file', async () => {
    expect(await readAll(createRequestSource(bodyOf(), 0))).toBe('');
  });

  it('refuses the first byte too many, before the end of the body', async () => {
    const source = createRequestSource(bodyOf('ab', 'cd', 'ef'), 3);

    expect(String(await source.read(signal))).toBe('ab');
    await expect(source.read(signal)).rejects.toMatchObject({
      code: 'SizeMismatch',
      status: 400,
      message: 'More than the 3 bytes that were declared came. Nothing is attached.',
    });
  });

  it('refuses fewer bytes at the end', async () => {
    await expect(readAll(createRequestSource(bodyOf('ab'), 3))).rejects.toMatchObject({
      code: 'SizeMismatch',
      message: '2 bytes came, 3 were declared. Nothing is attached.',
    });
  });

  it('gives up where no byte comes', async () => {
    const source = createRequestSource({ read: () => new Promise(() => {}) }, 3, 10);

    await expect(source.read(signal)).rejects.toMatchObject({ code: 'RequestBodyTimeout', status: 408 });
  });

  it('fails as the body does', async () => {
    const failure = new ServiceError('CallerDisconnected', 'gone');

    await expect(createRequestSource({ read: () => Promise.reject(failure) }, 3).read(signal)).rejects.toBe(failure);
  });
});

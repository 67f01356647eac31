import { lazy } from '../../../shared/common/lazy.ts';

describe('once', () => {
  it('creates nothing before the first use', () => {
    const create = jest.fn(async () => 7);

    lazy(create);

    expect(create).not.toHaveBeenCalled();
  });

  it('creates once for all who ask, at the same time and later', async () => {
    const create = jest.fn(async () => ({}));
    const get = lazy(create);

    const [first, second] = await Promise.all([get(), get()]);

    expect(second).toBe(first);
    expect(await get()).toBe(first);
    expect(create).toHaveBeenCalledTimes(1);
  });

  it('gives a failure to all who wait for it, and creates again at the next use', async () => {
    const create = jest.fn(async () => 7).mockRejectedValueOnce(new Error('not now'));
    const get = lazy(create);

    const results = await Promise.allSettled([get(), get()]);

    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await get()).toBe(7);
    expect(create).toHaveBeenCalledTimes(2);
  });
});

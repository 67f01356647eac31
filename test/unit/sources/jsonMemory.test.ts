import fc from 'fast-check';
import { MAX_JSON_BYTES_HELD, MAX_SETTABLE_JSON_ATTACHMENT_BYTES } from '../../../shared/common/limits.ts';
import { createJsonMemory } from '../../../shared/sources/jsonMemory.ts';

describe('createJsonMemory', () => {
  it('admits several requests at once up to the limit, and refuses the one beyond it', () => {
    const memory = createJsonMemory(100);
    const [first, second, third] = [memory.open(), memory.open(), memory.open()];
    first.grow(40);
    second.grow(60);

    expect(() => third.grow(1)).toThrow(
      expect.objectContaining({ code: 'InstanceBusy', status: 503, headers: { 'retry-after': '5' } }),
    );
    expect(() => first.grow(41)).toThrow(expect.objectContaining({ code: 'InstanceBusy' }));
    first.release();
    third.grow(40);
    expect(() => third.grow(41)).toThrow(expect.objectContaining({ code: 'InstanceBusy' }));
  });

  it('counts what a request holds by now, not what it has ever said', () => {
    const memory = createJsonMemory(100);
    const request = memory.open();

    for (const bytes of [30, 60, 90, 100, 100]) request.grow(bytes);

    request.release();
    request.release();
    memory.open().grow(100);
  });

  it('gives back what a refused request had, once it is released', () => {
    const memory = createJsonMemory(100);
    const refused = memory.open();
    refused.grow(70);
    expect(() => refused.grow(101)).toThrow();

    refused.release();

    memory.open().grow(100);
  });

  it('never admits more than the limit, and is empty after every request has ended', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(4), fc.nat(60)), { maxLength: 40 }), (steps) => {
        const memory = createJsonMemory(100);
        const requests = Array.from({ length: 5 }, () => ({ held: memory.open(), bytes: 0 }));
        for (const [index, more] of steps) {
          const request = requests[index];
          if (request === undefined) continue;
          const others = requests.reduce((sum, { bytes }) => sum + bytes, 0) - request.bytes;
          const bytes = request.bytes + more;
          if (others + bytes > 100) {
            expect(() => request.held.grow(bytes)).toThrow();
            request.held.release();
            request.bytes = 0;
          } else {
            request.held.grow(bytes);
            request.bytes = bytes;
          }
        }
        for (const { held } of requests) held.release();

        memory.open().grow(100);
      }),
    );
  });

  it('has room for the largest file that a setting admits', () => {
    expect(MAX_JSON_BYTES_HELD).toBeGreaterThan(MAX_SETTABLE_JSON_ATTACHMENT_BYTES);
  });
});

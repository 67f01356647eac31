import { isObject } from '../../../shared/common/isObject.ts';

describe('isObject', () => {
  it('says objects from arrays, null and scalars', () => {
    expect([{}, Object.create(null)].every(isObject)).toBe(true);
    expect([[], null, undefined, 'a', 1, true].some(isObject)).toBe(false);
  });
});

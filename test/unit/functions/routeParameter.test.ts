import { routeParameter } from '../../../functions/routeParameter.ts';

describe('routeParameter', () => {
  it.each([
    [{ path: 'me' }, 'me'],
    [{ PATH: 'me', other: 'x' }, 'me'],
    [{ paths: 'me' }, undefined],
    [{}, undefined],
  ])('finds in %j %s', (params: Record<string, string>, expected) => {
    expect(routeParameter(params, 'path')).toBe(expected);
  });
});

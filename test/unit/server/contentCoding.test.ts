import { hasContentCoding } from '../../../shared/server/contentCoding.ts';

const has = (value: string | null) => hasContentCoding({ get: () => value });

describe('hasContentCoding', () => {
  it.each([null, '', 'identity', 'Identity', ' identity , identity'])('is false for %j', (value) => {
    expect(has(value)).toBe(false);
  });

  it.each(['gzip', 'GZIP', 'br', 'identity, gzip', 'gzip, identity', 'deflate', 'x'])('is true for %j', (value) => {
    expect(has(value)).toBe(true);
  });
});

import { readExpectedOffset } from '../../../shared/graph/uploadSession.ts';

describe('readExpectedOffset', () => {
  it.each([
    [{ nextExpectedRanges: ['2097152'] }, 2_097_152],
    [{ nextExpectedRanges: ['2097152-'] }, 2_097_152],
    [{ NextExpectedRanges: ['0-99'] }, 0],
    [{ value: { nextExpectedRanges: ['7-'] } }, 7],
    [{ nextExpectedRanges: ['1-2', '5-'] }, 1],
  ])('reads %j', (body, offset) => {
    expect(readExpectedOffset(body)).toBe(offset);
  });

  it.each([
    undefined,
    null,
    'text',
    [],
    {},
    { nextExpectedRanges: [] },
    { nextExpectedRanges: '5-' },
    { nextExpectedRanges: [5] },
    { nextExpectedRanges: ['bytes 5-'] },
    { nextExpectedRanges: ['-5'] },
  ])('reads nothing from %j', (body) => {
    expect(readExpectedOffset(body)).toBeUndefined();
  });
});

import fc from 'fast-check';
import type { ErrorDetail } from '../../../shared/errors.ts';
import { type FileQuery, readFileQuery } from '../../../shared/sources/fileQuery.ts';

function read(query: string): FileQuery {
  const details: ErrorDetail[] = [];
  const values = readFileQuery(query, details);
  expect(details).toEqual([]);
  return values;
}

/** The one error. */
function errorOf(query: string): ErrorDetail | undefined {
  const details: ErrorDetail[] = [];
  readFileQuery(query, details);
  expect(details).toHaveLength(1);
  return details[0];
}

describe('readFileQuery', () => {
  it.each<[string, FileQuery]>([
    ['', {}],
    ['?', {}],
    ['?name=a', { name: 'a' }],
    ['name=Q1%20%26%20Q2+%233.pdf&SIZE=7', { name: 'Q1 & Q2 #3.pdf', size: '7' }],
    ['name=a=b', { name: 'a=b' }],
    ['name', { name: '' }],
    ['name=100%.pdf', { name: '100%.pdf' }],
    ['name=%zz%', { name: '%zz%' }],
    ['name=%EF%BF%BD', { name: '\ufffd' }],
    ['name=%F0%9F%93%8E', { name: '📎' }],
    ['nam%65=a', { name: 'a' }],
    // Of others: gateways, function keys, tracing.
    ['code=k==&name=a&subscription-key=1&$x.y_z=&api-version=2', { name: 'a' }],
    ['name=a&', { name: 'a' }],
    ['name=a&&size=3', { name: 'a', size: '3' }],
    ['debug&a b=c&name=a', { name: 'a' }],
    ['x=%E9&name=a&y=%E9', { name: 'a' }],
    ['size=3&D.pdf', { size: '3' }],
    ['name=a&contentType=', { name: 'a' }],
  ])('reads %s', (query, values) => {
    expect(read(query)).toEqual(values);
  });

  it.each([
    ['name=Q1%20&%20Q2%20', 'Q1 ', ' Q2 '],
    ['name=R&D.pdf', 'R', 'D.pdf'],
    ['name=AT&T', 'AT', 'T'],
    ['size=3&NAME=A+&+B+=+C.pdf&isInline=true', 'A ', ' B '],
    ['name=a&=b.pdf', 'a', ''],
    ['name=a&x=1&caf%E9=b', 'a', 'caf\ufffd'],
    ['name=a&size=3&b(1).pdf', 'a', 'b(1).pdf'],
  ])('takes the rest of %s for a part of the name', (query, name, rest) => {
    expect(errorOf(query)).toEqual({
      code: 'ValueNotAllowed',
      message: expect.stringMatching(/encode & as %26/),
      target: '?name',
    });
    expect(errorOf(query)?.message).toContain(`'${name}'`);
    expect(errorOf(query)?.message).toContain(`'${rest}'`);
  });

  it.each([
    ['name=caf%E9.pdf', '?name', 'caf\ufffd.pdf'],
    ['name=a%C3', '?name', 'a\ufffd'],
    ['name=%ED%A0%80', '?name', '\ufffd'],
    ['name=%C0%AF', '?name', '\ufffd'],
    ['name=a&contentId=%FF', '?contentId', '\ufffd'],
    ['name=%E9%EF%BF%BD', '?name', '\ufffd'],
  ])('refuses %s, which is not UTF-8', (query, target, shown) => {
    expect(errorOf(query)).toEqual({
      code: 'ValueNotAllowed',
      message: expect.stringContaining(shown),
      target,
    });
  });

  it('reads what URLSearchParams and encodeURIComponent write', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (name, contentId) => {
        const encoded = `name=${encodeURIComponent(name)}&contentId=${encodeURIComponent(contentId)}`;

        expect(read(new URLSearchParams({ name, contentId }).toString())).toEqual({ name, contentId });
        expect(read(encoded)).toEqual({ name, contentId });
      }),
    );
  });
});

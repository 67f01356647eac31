import { create } from 'content-disposition';
import fc from 'fast-check';
import { fileNameOf } from '../../../shared/source/fileName.ts';

describe('fileNameOf', () => {
  it.each([
    ['attachment; filename=report.pdf', 'report.pdf'],
    ['attachment; filename="annual report.pdf"', 'annual report.pdf'],
    ['ATTACHMENT; FILENAME="a\\"b.pdf"', 'a"b.pdf'],
    ["attachment; filename*=UTF-8''%e2%82%ac%20rates.pdf", '€ rates.pdf'],
    ['attachment; filename="EURO rates.pdf"; filename*=utf-8\'en\'%e2%82%ac%20rates.pdf', '€ rates.pdf'],
    ['attachment; filename*=utf-8\'\'%e2%82%ac%20rates.pdf; filename="EURO rates.pdf"', '€ rates.pdf'],
    ["attachment; filename*=iso-8859-1'en'%A3%20rates.pdf", '£ rates.pdf'],
    ["attachment; filename=rates.pdf; filename*=utf-8''%ff", 'rates.pdf'],
    ['attachment; filename="C:\\\\Users\\\\me\\\\report.pdf"', 'report.pdf'],
    ['attachment; filename=../../report.pdf', 'report.pdf'],
    ['attachment; filename=""', ''],
    ['inline', undefined],
    ['', undefined],
    [null, undefined],
  ])('finds in %j the name %j', (header, name) => {
    expect(fileNameOf(header)).toBe(name);
  });

  it('reads plain UTF-8 that arrived as Latin-1, and Latin-1 itself', () => {
    expect(fileNameOf(Buffer.from('attachment; filename="Öl – 日本.pdf"').toString('latin1'))).toBe('Öl – 日本.pdf');
    expect(fileNameOf('attachment; filename="Öl.pdf"')).toBe('Öl.pdf');
    expect(fileNameOf('attachment; filename="日本.pdf"')).toBe('日本.pdf');
  });

  it('gives back every name that a sender writes by the standard', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (name) => {
        fc.pre(!/[/\\\p{Cc}]/u.test(name));

        expect(fileNameOf(create(name))).toBe(name);
      }),
    );
  });
});

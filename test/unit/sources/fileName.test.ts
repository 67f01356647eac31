import { create } from 'content-disposition';
import fc from 'fast-check';
import { fileNameOf, hasFileName } from '../../../shared/sources/fileName.ts';

async function nameIn(header: string | null): Promise<string | undefined> {
  const found = await fileNameOf(header);
  expect(hasFileName(header)).toBe(found.kind !== 'none');
  return found.kind === 'name' ? found.name : undefined;
}

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
  ])('finds in %j the name %j', async (header, name) => {
    expect(await nameIn(header)).toBe(name);
  });

  it('reads plain UTF-8 that arrived as Latin-1, and Latin-1 itself', async () => {
    expect(await nameIn(Buffer.from('attachment; filename="Öl – 日本.pdf"').toString('latin1'))).toBe('Öl – 日本.pdf');
    expect(await nameIn('attachment; filename="Öl.pdf"')).toBe('Öl.pdf');
    expect(await nameIn('attachment; filename="日本.pdf"')).toBe('日本.pdf');
  });

  it.each([
    ['"=?utf-8?B?w5ZsLnBkZg==?="', 'Öl.pdf'],
    ['=?UTF-8?b?w5ZsLnBkZg==?=', 'Öl.pdf'],
    ['"=?utf-8?Q?=C3=96l_=E2=80=93_a.pdf?="', 'Öl – a.pdf'],
    ['"=?iso-8859-1?Q?=D6l?=.pdf"', 'Öl.pdf'],
    ['"=?utf-8?B?5pel5pys?= =?utf-8?B?6Kqe?=.pdf"', '日本語.pdf'],
    // A character in two words, and base64 with a slash in it.
    ['"=?utf-8?B?5pe=?= =?utf-8?B?pQ==?="', '日'],
    ['"=?utf-8?B?4pyTL+Kckw==?="', '✓'],
    ['"=?utf-8*de?Q?=C3=96l?="', 'Öl'],
    ['"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=.txt"', '日本.txt'],
    ['"=?utf-8?X?abc?=.pdf"', '=?utf-8?X?abc?=.pdf'],
    ['"what=?.pdf"', 'what=?.pdf'],
    ['"=?utf-8?B?w5ZsLnBkZg==?="; filename*=utf-8\'\'%C3%84.pdf', 'Ä.pdf'],
    ["a; filename*=utf-8''%3D%3Futf-8%3FB%3FYQ%3D%3D%3F%3D", '=?utf-8?B?YQ==?='],
    ['a; filename*="utf-8\'\'%C3%84.pdf"', 'Ä.pdf'],
  ])('decodes filename=%s to %j', async (written, name) => {
    expect(await nameIn(`attachment; filename=${written}`)).toBe(name);
  });

  it.each(['filename="=?utf-8?B?/w==?="', "filename*=utf-8''caf%E9.pdf", "filename*=koi8-r''%C1"])(
    'finds a name that is not valid in %s',
    async (parameter) => {
      expect(await fileNameOf(`attachment; ${parameter}`)).toEqual({ kind: 'invalid' });
      expect(hasFileName(`attachment; ${parameter}`)).toBe(true);
    },
  );

  it('gives back every name that a sender writes by the standard', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1 }), async (name) => {
        fc.pre(!/[/\\\p{Cc}]/u.test(name));

        expect(await nameIn(create(name))).toBe(name);
      }),
    );
  });
});

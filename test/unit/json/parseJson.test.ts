import fc from 'fast-check';
import { parseJson } from '../../../shared/json/parseJson.ts';
import { thrownBy } from '../../support/builders.ts';

const bytes = (text: string) => Buffer.from(text, 'utf8');

describe('parseJson', () => {
  it('reads what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.stringify(parseJson(bytes(text)))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it('drops a byte order mark', () => {
    expect(parseJson(bytes('\ufeff{"a":1}'))).toEqual({ a: 1 });
  });

  it('keeps __proto__ a member like any other', () => {
    const value = parseJson(bytes('{"__proto__":{"polluted":true}}'));

    expect(Object.keys(Object(value))).toEqual(['__proto__']);
    expect({}).not.toHaveProperty('polluted');
  });

  it('reads nesting as deep as the largest body can hold', () => {
    const deep = '['.repeat(32 * 1024) + ']'.repeat(32 * 1024);

    expect(parseJson(bytes(deep))).toHaveLength(1);
  });

  it('says so when the body is empty', () => {
    expect(thrownBy(() => parseJson(bytes('')))).toMatchObject({
      code: 'InvalidJson',
      status: 400,
      message: expect.stringContaining('empty'),
    });
  });

  it.each([
    ['a lone continuation byte', [0x22, 0x80, 0x22]],
    ['Latin-1', [0x22, 0xe9, 0x22]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
    ['half a surrogate pair', [0x22, 0xed, 0xa0, 0x80, 0x22]],
  ])('says so when the body is no UTF-8: %s', (_, octets) => {
    expect(thrownBy(() => parseJson(Uint8Array.from(octets)))).toMatchObject({
      code: 'InvalidJson',
      message: 'The body is not UTF-8. Send the JSON in UTF-8.',
    });
  });

  it.each(['{', '{"a":1,}', "{'a':1}", 'undefined', 'NaN', ' ', '\u0000', '{"a":1}}', '\ufeff', '\ufeff\ufeff{}', '-'])(
    'refuses %j',
    (text) => {
      expect(thrownBy(() => parseJson(bytes(text)))).toMatchObject({ code: 'InvalidJson', status: 400 });
    },
  );

  it('says the place of the fault', () => {
    expect(thrownBy(() => parseJson(bytes('{"a": 1, "b" 2}')))).toHaveProperty(
      'message',
      'The body is not JSON (at character 13).',
    );
  });

  it('never quotes the body', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const error = thrownBy(() => parseJson(bytes(`{${before}SECRET${after}`)));

        expect(error).toHaveProperty(
          'message',
          expect.stringMatching(/^The body is not JSON( \(at character \d+\))?\.$/),
        );
      }),
    );
  });
});

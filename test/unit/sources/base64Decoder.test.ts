import fc from 'fast-check';
import { MAX_DECODE_STEP_BYTES } from '../../../shared/common/limits.ts';
import { Base64Decoder } from '../../../shared/sources/base64Decoder.ts';

function decode(texts: readonly string[]): { bytes: Buffer; fault: string | undefined } {
  const decoder = new Base64Decoder();
  for (const text of texts) decoder.push(text);
  const { chunks, sizeBytes } = decoder.end();
  const bytes = Buffer.concat(chunks);
  expect([sizeBytes, decoder.sizeBytes]).toEqual([bytes.length, bytes.length]);
  return { bytes, fault: decoder.fault };
}

/** Longer than a step, and no multiple of four, so that what follows is in a later step. */
const LONG = 'QUJD'.repeat(MAX_DECODE_STEP_BYTES / 4);

const WANTED = "Send the file's bytes in base64; in a workflow, write base64(…)";
const CUT_OFF = `is cut off, or is not base64: its length is not a multiple of 4 characters. ${WANTED}`;

describe('Base64Decoder', () => {
  it('gives the bytes, wherever the text is cut and white space stands', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.array(fc.tuple(fc.nat(400), fc.constantFrom(' ', '\r\n', '\t', '')), { maxLength: 8 }),
        fc.boolean(),
        (file, cuts, isLong) => {
          const base64 = (isLong ? LONG : '') + Buffer.from(file).toString('base64');
          const places = cuts.map(([at, space]) => ({ at: Math.min(base64.length, at), space }));
          const texts: string[] = [];
          let last = 0;
          for (const { at, space } of places.toSorted((a, b) => a.at - b.at)) {
            texts.push(base64.slice(last, at), space);
            last = at;
          }

          const { bytes, fault } = decode([...texts, base64.slice(last)]);

          expect(fault).toBeUndefined();
          expect(bytes.equals(Buffer.from(base64, 'base64'))).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('finds no fault with what .NET takes, and fault with all else', () => {
    const text = fc.string({ unit: fc.constantFrom('A', '/', '=', ' ', '-', '!', '\n', 'é'), maxLength: 9 });
    fc.assert(
      fc.property(text, text, fc.boolean(), (first, second, isLong) => {
        const whole = (isLong ? LONG : '') + first + second;
        const bare = whole.replace(/[ \t\r\n]/g, '');
        const isSound = bare.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(bare);

        expect(decode([(isLong ? LONG : '') + first, second]).fault === undefined).toBe(isSound);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['QUJD!', `is not base64 (at character 4). ${WANTED}`],
    [' QUJ\u00e9', `is not base64 (at character 4). ${WANTED}`],
    ['QUJDQQ-_', 'is base64url, which Graph does not take (at character 6). Write + for -, and / for _'],
    ['QQ==QUJD', 'has more characters after its padding (at character 2). Send one base64 text'],
    ['QUJDQQ', CUT_OFF],
    ['QQ=', CUT_OFF],
    ['data:image/png;base64,QUJD', 'is a data URL. Send only what follows its comma'],
    ["b'QUJD'", "is Python's text for bytes (b'…'). Send base64.b64encode(data).decode()"],
    ['System.Byte[]', 'is the name of a .NET type. Send [Convert]::ToBase64String(bytes)'],
    ['[object ArrayBuffer]', 'is the name of a JavaScript type. Send buffer.toString("base64")'],
    [`QUJD{`, `is not base64 (at character 4). ${WANTED}`],
    [`${LONG}QQ${LONG}?`, `is not base64 (at character ${2 * LONG.length + 2}). ${WANTED}`],
  ])('says what is wrong with %#', (text, fault) => {
    expect(decode([text]).fault).toBe(fault);
  });

  it('keeps the first fault, and nothing of what comes after it', () => {
    expect(decode([`${LONG}`, `!${LONG}`, `?${LONG}`])).toEqual({
      bytes: Buffer.from(LONG, 'base64'),
      fault: `is not base64 (at character ${LONG.length}). ${WANTED}`,
    });
  });
});

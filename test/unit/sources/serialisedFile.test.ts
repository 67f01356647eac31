import { ServiceError } from '../../../shared/errors.ts';
import { createJsonMemory } from '../../../shared/sources/jsonMemory.ts';
import { isJsonByName, readSerialisedFile, type SerialisedFile } from '../../../shared/sources/serialisedFile.ts';

const LIMITS = { maxJsonAttachmentBytes: 100_000, maxBytes: 200_000 };
const signal = new AbortController().signal;

/** Reads a body that comes in pieces of so many bytes. */
function read(body: string | Buffer, pieceBytes = 1_000, limits = LIMITS): Promise<SerialisedFile> {
  const bytes = Buffer.from(body);
  let offset = 0;
  const source = {
    async read() {
      const piece = bytes.subarray(offset, offset + pieceBytes);
      offset += piece.length;
      return piece.length === 0 ? undefined : piece;
    },
  };
  return readSerialisedFile(source, limits, createJsonMemory().open(), signal);
}

/** What is attached of a body. */
async function bytesOf(found: SerialisedFile): Promise<string> {
  if (found.kind === 'decoded') return Buffer.concat(found.bytes.chunks).toString();
  const chunks: Buffer[] = [];
  for (let chunk = await found.body.read(signal); chunk; chunk = await found.body.read(signal)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function errorOf(body: string, pieceBytes?: number, limits?: typeof LIMITS): Promise<ServiceError> {
  const error: unknown = await read(body, pieceBytes, limits).catch((reason: unknown) => reason);
  if (!(error instanceof ServiceError)) throw new Error(`Not refused: ${body.slice(0, 100)}`);
  return error;
}

const encode = (text: string) => Buffer.from(text).toString('base64');
const long = 'x'.repeat(10_000);

describe('readSerialisedFile', () => {
  it.each([
    ["in Logic Apps' order", { '$content-type': 'image/jpeg', $content: encode('Photo') }, 'image/jpeg', 'Photo'],
    ['in the other order', { $content: encode('Photo'), '$content-type': 'image/jpeg' }, 'image/jpeg', 'Photo'],
    ['without a type', { $content: encode(long) }, undefined, long],
    ['of an empty file', { '$content-type': 'a/b', $content: '' }, 'a/b', ''],
    ['in other letter case', { '$Content-Type': 'a/b', $Content: encode('Photo') }, 'a/b', 'Photo'],
  ])('decodes a content object %s', async (_, body, contentType, text) => {
    for (const written of [JSON.stringify(body), `\ufeff\r\n ${JSON.stringify(body, null, 2)}\n`]) {
      for (const pieceBytes of [1, 7, 100_000]) {
        const found = await read(written, pieceBytes);

        expect(found).toMatchObject({ kind: 'decoded', bytes: { sizeBytes: text.length } });
        expect(found.kind === 'decoded' && found.contentType).toBe(contentType);
        expect(await bytesOf(found)).toBe(text);
      }
    }
  });

  it.each([
    ['{}', '{}'],
    [' {\n}\n', '{}'],
    ['null', 'null'],
    ['""', 'a string'],
    [`"${encode('Photo')}"`, 'a string'],
    [`\ufeff"data:image/png;base64,${encode(long)}" `, 'a string'],
    ['"a \\"quoted\\" text \\\\"', 'a string'],
    [`"${'\\\\'.repeat(5_000)}"`, 'a string'],
    ['[]', 'a list of numbers'],
    ['[37, 80, -1]', 'a list of numbers'],
    [JSON.stringify([...Buffer.from(long)]), 'a list of numbers'],
    [JSON.stringify(Buffer.from('Photo')), 'an object with a list of numbers'],
    [JSON.stringify(Buffer.from(long)), 'an object with a list of numbers'],
    [JSON.stringify(new Uint8Array([1, 2])), 'an object with a list of numbers'],
  ])('refuses %.40s, which is not the bytes of a file', async (body, says) => {
    for (const pieceBytes of [1, 100_000]) {
      const error = await errorOf(body, pieceBytes);

      expect([error.code, error.status]).toEqual(['InvalidAttachment', 400]);
      expect(error.message).toContain(says);
      expect(error.message).toContain('application/octet-stream');
    }
  });

  it.each([
    '',
    '%PDF-1.7',
    '"a","b"\n1,2\n',
    `"${'a","'.repeat(5_000)}"`,
    '"two" words',
    '"a\nb"',
    '{"a":1}',
    `{"a":"${long}"}`,
    '{"a":{"$content":"QUJD"}}',
    '{"type":"Feature","data":[1]}',
    '{"0":"zero"}',
    '[{"a":1}]',
    '["a"]',
    'null and void',
    '{} {}',
    'true',
    '7',
    ' '.repeat(5_000),
  ])('leaves %.40j as it was sent', async (body) => {
    for (const pieceBytes of [1, 4_096, 100_000]) {
      const found = await read(body, pieceBytes);

      expect(found.kind).toBe('asSent');
      expect(await bytesOf(found)).toBe(body);
    }
  });

  it.each([
    ['{"$content-type":"a/b"}', 'Required /$content'],
    ['{"$content":5}', 'WrongType /$content'],
    ['{"$content":"QUJ*"}', 'ValueNotAllowed /$content'],
    ['{"$content":"QUJD","$content":"QUJD"}', 'DuplicateMember /$content'],
    ['{"$content":"QUJD","name":"a"}', 'UnknownMember /name'],
    ['{"$content":{"$content":"QUJD"}}', 'WrongType /$content'],
    ['{"$content":"QUJD","$content-type":5}', 'WrongType /$content-type'],
  ])('refuses the content object %s', async (body, fault) => {
    const { code, details } = await errorOf(body);

    expect(code).toBe('InvalidAttachment');
    expect(details.map((detail) => `${detail.code} ${detail.target}`)).toEqual([fault]);
  });

  it('says where a content object is not JSON', async () => {
    expect(await errorOf('{"$content":"QUJD",}')).toMatchObject({
      code: 'InvalidJson',
      message: expect.stringContaining('at character 19'),
    });
  });

  it('holds no more than a file in JSON may have', async () => {
    const largest = { ...LIMITS, maxJsonAttachmentBytes: 10_000 };

    expect(await read(JSON.stringify({ $content: encode(long) }), 1_000, largest)).toMatchObject({ kind: 'decoded' });
    const error = await errorOf(JSON.stringify({ $content: encode(`${long}x`) }), 1_000, largest);
    expect([error.code, error.status]).toEqual(['RequestBodyTooLarge', 413]);
    expect(error.message).toMatch(/10000 bytes.*MAX_JSON_ATTACHMENT_BYTES/);
  });

  it('refuses a file over the size that can be attached', async () => {
    const lower = { ...LIMITS, maxBytes: 9_999 };

    const { details } = await errorOf(JSON.stringify({ $content: encode(long) }), 1_000, lower);

    expect(details).toMatchObject([{ code: 'SizeTooLarge', target: '/$content' }]);
  });
});

test.each([
  ['a.json', undefined, true],
  ['A.GeoJSON', undefined, true],
  ['a.jsonl', undefined, true],
  ['a.ipynb', undefined, true],
  ['a.txt', 'application/json; charset=utf-8', true],
  ['a.txt', 'application/geo+json', true],
  ['a.json.txt', undefined, false],
  ['json', undefined, false],
  ['a.jpg', 'image/jpeg; x=/json', false],
  ['a.jpg', undefined, false],
])('tells whether %s of the type %s is JSON: %j', (name, type, isJson) => {
  expect(isJsonByName(name, type)).toBe(isJson);
});

import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { MAX_DECODE_STEP_BYTES, MAX_REQUEST_BODY_BYTES } from '../../../shared/common/limits.ts';
import { ServiceError } from '../../../shared/errors.ts';
import type { ItemKind } from '../../../shared/paths/entityModel.ts';
import type { ReadableBody } from '../../../shared/sources/bodySource.ts';
import { type JsonAttachment, readJsonAttachment } from '../../../shared/sources/jsonAttachment.ts';
import { createJsonMemory } from '../../../shared/sources/jsonMemory.ts';

/** Of a memory that all tests of this file together do not fill. */
const UNCOUNTED = { grow: () => {}, release: () => {} };

const never = new AbortController().signal;
const LIMITS = { maxJsonAttachmentBytes: 1_000_000, maxBytes: 2_000_000 };

/** A body of these pieces. */
function bodyOf(pieces: readonly Buffer[]): ReadableBody {
  const pending = [...pieces];
  return { read: async () => pending.shift() };
}

function read(body: unknown, kind: ItemKind = 'message', limits = LIMITS): Promise<JsonAttachment> {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return readJsonAttachment(bodyOf([bytes]), kind, limits, UNCOUNTED, never);
}

async function errorOf(body: unknown, kind?: ItemKind, limits?: typeof LIMITS): Promise<ServiceError> {
  const error: unknown = await read(body, kind, limits).catch((reason: unknown) => reason);
  if (!(error instanceof ServiceError)) throw new Error(`Not refused: ${String(error)}`);
  return error;
}

/** `code target` of each detail. */
async function faultsOf(body: unknown, kind?: ItemKind): Promise<string[]> {
  const { code, details } = await errorOf(body, kind);
  expect(code).toBe('InvalidAttachment');
  return details.map((detail) => `${detail.code} ${detail.target}`);
}

function bytesOf({ content }: JsonAttachment): Buffer {
  if (content.kind !== 'bytes') throw new Error('No bytes.');
  expect(content.sizeBytes).toBe(content.chunks.reduce((total, chunk) => total + chunk.length, 0));
  return Buffer.concat(content.chunks);
}

const FILE = {
  '@odata.type': '#microsoft.graph.fileAttachment',
  name: 'Öl – 日本.pdf',
  contentBytes: Buffer.from('The bytes.').toString('base64'),
};

describe('readJsonAttachment', () => {
  it('reads every member of a fileAttachment', async () => {
    const attachment = await read({ ...FILE, contentType: 'application/pdf', isInline: true, contentId: 'logo' });

    expect(attachment.file).toEqual({
      name: 'Öl – 日本.pdf',
      sizeBytes: 10,
      contentType: 'application/pdf',
      isInline: true,
      contentId: 'logo',
    });
    expect(bytesOf(attachment).toString()).toBe('The bytes.');
  });

  it('takes an attachment that was read from Graph, with what Graph fills in itself', async () => {
    const ofGraph = { id: 'AAMk', size: 999, lastModifiedDateTime: '2026-11-24T10:00:00Z', contentLocation: null };
    const nulls = { contentType: null, isInline: null, contentId: null, sourceUrl: null };

    expect((await read({ '@odata.context': 'x', ...FILE, ...ofGraph, ...nulls })).file).toEqual({
      name: FILE.name,
      sizeBytes: 10,
    });
  });

  it('matches names of members without regard to case, and however they are escaped', async () => {
    const { contentBytes } = FILE;
    const escaped = `{"NAME":"a","c\\u006Fntent\\u0042ytes" : "${contentBytes}"}`;

    expect(bytesOf(await read({ Name: 'a', CONTENTBYTES: contentBytes })).toString()).toBe('The bytes.');
    expect(bytesOf(await read(escaped)).toString()).toBe('The bytes.');
  });

  it('takes the content object of Logic Apps, and its type where no other is said', async () => {
    const contentBytes = { '$content-type': 'image/png', $content: FILE.contentBytes };

    const attachment = await read({ name: 'a', contentBytes });

    expect(attachment.file).toEqual({ name: 'a', sizeBytes: 10, contentType: 'image/png' });
    expect(bytesOf(attachment).toString()).toBe('The bytes.');
    expect((await read({ name: 'a', contentBytes, contentType: 'image/x' })).file.contentType).toBe('image/x');
  });

  it('takes a To Do file, which is never inline', async () => {
    const file = { '@odata.type': '#microsoft.graph.taskFileAttachment', name: 'a', contentBytes: '' };

    expect((await read(file, 'todoTask')).file).toEqual({ name: 'a', sizeBytes: 0 });
    expect(await faultsOf({ ...file, isInline: false, contentId: 'b' }, 'todoTask')).toEqual([
      'UnknownMember /contentId',
      'UnknownMember /isInline',
    ]);
  });

  it('takes an address in place of the bytes', async () => {
    const { file, content } = await read({ name: 'a', sourceUrl: 'https://a.example/b?sig=c#d' });

    expect(file).toEqual({ name: 'a' });
    expect(content).toEqual({ kind: 'address', url: new URL('https://a.example/b?sig=c') });
  });

  it('reads what JSON.parse reads, wherever the body is cut and whatever is escaped', async () => {
    const spell = fc.constantFrom(
      (base64: string) => base64,
      (base64: string) => base64.replaceAll('/', '\\/').replaceAll('+', '\\u002B').replaceAll('=', '\\u003d'),
      (base64: string) => base64.replace(/.{1,7}/g, '$&\\r\\n'),
      (base64: string) => base64.replace(/./g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        spell,
        fc.array(fc.constantFrom('"name":"a\\"\\\\"', '"x@y":"contentBytes"', '"contentType":"ö:{"'), { maxLength: 3 }),
        fc.array(fc.nat(400), { maxLength: 20 }),
        fc.boolean(),
        async (file, write, others, cuts, isEnveloped) => {
          const written = write(Buffer.from(file).toString('base64'));
          const value = isEnveloped ? ` { "$content" : "${written}" } ` : `"${written}"`;
          const members = ['"name":"b"', ...others, `"contentBytes":${value}`, ...others.slice(1)];
          const body = Buffer.from(`\ufeff{ ${members.join(' , ')} }`);
          const places = [0, ...cuts.toSorted((a, b) => a - b), body.length];
          const pieces = places.slice(1).map((end, index) => body.subarray(places[index], end));

          const attachment = await readJsonAttachment(bodyOf(pieces), 'message', LIMITS, UNCOUNTED, never);

          const parsed: { name: string; contentType?: string } = JSON.parse(body.toString().slice(1));
          expect(bytesOf(attachment).equals(Buffer.from(file))).toBe(true);
          expect(attachment.file).toMatchObject({
            name: parsed.name,
            ...(parsed.contentType && { contentType: parsed.contentType }),
          });
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each<[unknown, string[]]>([
    [{}, ['Required /contentBytes', 'Required /name']],
    [{ name: 'a' }, ['Required /contentBytes']],
    [{ name: 'a', contentBytes: null }, ['Required /contentBytes']],
    [{ name: 'a', contentBytes: 5 }, ['WrongType /contentBytes']],
    [{ name: 'a', contentBytes: ['QUJD'] }, ['WrongType /contentBytes']],
    [{ name: 'a', contentBytes: {} }, ['WrongType /contentBytes']],
    [
      { name: 'a', contentBytes: { $content: 5, a: 1 } },
      ['WrongType /contentBytes/$content', 'UnknownMember /contentBytes/a'],
    ],
    [{ name: 'a', contentBytes: 'QUJD!' }, ['ValueNotAllowed /contentBytes']],
    [{ name: 'a', contentBytes: 'QUJD', sourceUrl: 'https://a.example/' }, ['Conflict /sourceUrl']],
    [{ name: 'a', sourceUrl: 'http://a.example/' }, ['ValueNotAllowed /sourceUrl']],
    [{ name: 'a', sourceUrl: 5 }, ['WrongType /sourceUrl']],
    [
      { name: 'a', contentBytes: '', '@odata.type': '#microsoft.graph.itemAttachment' },
      ['ValueNotAllowed /@odata.type'],
    ],
    [{ name: 'a', contentBytes: '', Name: 'b' }, ['DuplicateMember /name']],
    ['{"name":"a","contentBytes":"QUJD","contentBytes":"QUJD"}', ['DuplicateMember /contentBytes']],
    ['{"name":"a","contentBytes":"QUJD","ContentBytes":{"$content":"QUJD"}}', ['DuplicateMember /contentBytes']],
    [
      { contentBytes: '?', colour: 1, isInline: 'no', contentId: 5, contentType: 5 },
      [
        'UnknownMember /colour',
        'ValueNotAllowed /contentBytes',
        'WrongType /contentId',
        'WrongType /contentType',
        'WrongType /isInline',
        'Required /name',
      ],
    ],
    [[], ['Required /contentBytes', 'WrongType ']],
  ])('finds every fault of %j at once', async (body, faults) => {
    expect(await faultsOf(body)).toEqual(faults.toSorted((a, b) => (targetOf(a) < targetOf(b) ? -1 : 1)));
  });

  it.each([
    ['a tab', 'Q1\treport.pdf'],
    ['a line break', 'Q1\r\n report.pdf'],
    ['other control characters', '\u0000\u001b\u007f\u0085.pdf'],
  ])('keeps a name with %s as Graph gave it', async (_, name) => {
    const texts = { contentType: `text/plain;\r\n name="${name}"`, contentId: `<${name}>` };

    expect((await read({ ...FILE, ...texts, name })).file).toEqual({ name, ...texts, sizeBytes: 10 });
    expect((await read({ name, contentBytes: FILE.contentBytes }, 'todoTask')).file.name).toBe(name);
  });

  it.each(['#Microsoft.Graph.FileAttachment', 'microsoft.graph.fileattachment', '#MICROSOFT.GRAPH.TASKFILEATTACHMENT'])(
    'takes the type %s, whatever its letter case',
    async (type) => {
      expect((await read({ ...FILE, '@odata.type': type })).file.name).toBe(FILE.name);
      expect((await read({ name: 'a', contentBytes: '', '@OData.Type': type }, 'todoTask')).file.name).toBe('a');
    },
  );

  it.each(['#microsoft.graph.itemAttachment', '##microsoft.graph.fileAttachment', 'fileAttachment', ''])(
    'refuses the type %j, and says which it takes',
    async (type) => {
      const { details } = await errorOf({ ...FILE, '@odata.type': type });

      expect(details).toEqual([
        {
          code: 'ValueNotAllowed',
          target: '/@odata.type',
          message:
            "Only files can be attached. Set '@odata.type' to '#microsoft.graph.fileAttachment' (for To Do '#microsoft.graph.taskFileAttachment'), or leave it out.",
        },
      ]);
    },
  );

  it.each<[string, (bytes: Buffer) => unknown]>([
    ['a Buffer', (bytes) => bytes.toJSON()],
    ['a list of numbers', (bytes) => [...bytes]],
    ['a typed array', (bytes) => ({ ...new Uint8Array(bytes) })],
    ['a list as PowerShell 5 writes it', (bytes) => ({ value: [...bytes], Count: bytes.length })],
    ['base64 under another name', (bytes) => ({ data: bytes.toString('base64') })],
  ])('refuses contentBytes that are %s, of any length, as one fault', async (_, write) => {
    for (const length of [4, 2000, 200_000]) {
      const error = await errorOf({ name: 'a', contentBytes: write(Buffer.alloc(length, 65)) });

      expect(error).toMatchObject({ code: 'InvalidAttachment', status: 400, target: '/contentBytes' });
      expect(error.details).toEqual([
        { code: 'WrongType', target: '/contentBytes', message: expect.stringContaining('must be text in base64') },
      ]);
      expect(error.message).not.toContain('more, see details');
    }
  });

  it('lists the other faults with a list of numbers', async () => {
    expect(await faultsOf({ ContentBytes: [1, 2], colour: 1 })).toEqual([
      'UnknownMember /colour',
      'WrongType /contentBytes',
      'Required /name',
    ]);
  });

  const OBJECT = { '$content-type': 'application/pdf', $content: FILE.contentBytes };
  const LONG_OBJECT = { ...OBJECT, $content: FILE.contentBytes.repeat(20_000) };

  it.each([
    ['a content object as text', JSON.stringify({ name: 'a', contentBytes: JSON.stringify(OBJECT) })],
    ['a long content object as text', JSON.stringify({ name: 'a', contentBytes: JSON.stringify(LONG_OBJECT) })],
    ['a content object with its quotes unescaped', `{"name":"a","contentBytes":"${JSON.stringify(OBJECT)}"}`],
    ['a long one with its quotes unescaped', `{"contentBytes":"${JSON.stringify(LONG_OBJECT)}","name":"a"}`],
    ['JSON as text', JSON.stringify({ name: 'a', contentBytes: ' {"a": 1}' })],
  ])('refuses %s, and says what a workflow should write', async (_, body) => {
    const error = await errorOf(body);

    expect(error).toMatchObject({ code: 'InvalidAttachment', status: 400, target: '/contentBytes' });
    expect(error.message).toBe(
      "The body does not describe a file to attach: 'contentBytes' is a JSON object inside quotes. Send the content object ($content-type, $content) without the quotes, or write base64(…).",
    );
  });

  it.each(['The report, as text.', 'Report', '%PDF-1.7', 'JVBERi0xL'])(
    'refuses the plain text %j, and says what a workflow should write',
    async (contentBytes) => {
      for (const content of [contentBytes, { $content: contentBytes }]) {
        const error = await errorOf({ name: 'a', contentBytes: content });

        expect(error).toMatchObject({ code: 'InvalidAttachment', target: '/contentBytes' });
        expect(error.message).toMatch(/Send the file's bytes in base64; in a workflow, write base64\(…\)\.$/);
      }
    },
  );

  it('counts the decoded bytes while they arrive, and no more than those', async () => {
    const memory = createJsonMemory(150_000);
    const held = memory.open();
    const grown: number[] = [];
    const watched = { ...held, grow: (bytes: number) => grown.push(bytes) && held.grow(bytes) };
    const body = (bytes: number) =>
      bodyOf([Buffer.from(JSON.stringify({ name: 'a', contentBytes: Buffer.alloc(bytes).toString('base64') }))]);

    await readJsonAttachment(body(100_000), 'message', LIMITS, watched, never);

    expect(grown.at(-1)).toBe(100_000);
    expect(grown.length).toBeGreaterThan(2);
    const second = readJsonAttachment(body(60_000), 'message', LIMITS, memory.open(), never);
    await expect(second).rejects.toMatchObject({ code: 'InstanceBusy' });
  });

  it('says where contentBytes are no base64', async () => {
    const error = await errorOf({ name: 'a', contentBytes: 'QUJDQU-D' });

    expect(error).toMatchObject({ status: 400, target: '/contentBytes' });
    expect(error.message).toBe(
      "The body does not describe a file to attach: 'contentBytes' is base64url, which Graph does not take (at character 6). Write + for -, and / for _.",
    );
  });

  it.each([
    ['', 'The body is empty; send one JSON object.'],
    ['{"name":"a","contentBytes":"QUJDQUJD"', 'The body is not JSON (at character 37).'],
    ['{"contentBytes":"QUJDQUJD","name"}', 'The body is not JSON (at character 33).'],
    ['{"name" 1,"contentBytes":"QUJDQUJD"}', 'The body is not JSON (at character 8).'],
    ['{"ö@":1,"contentBytes":"QUJDQUJD" "name"}', 'The body is not JSON (at character 34).'],
    ['{"contentBytes":"QUJD', /^The body is not JSON/],
    ['{"contentBytes":"QU\\', /^The body is not JSON/],
    [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'The body is not UTF-8. Send the JSON in UTF-8.'],
  ])('refuses what is no JSON, at its place in the body: %s', async (body, message) => {
    expect(await errorOf(body)).toMatchObject({
      code: 'InvalidJson',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
  });

  it.each(['"\\x41"', '"\\b\\f"', '"\\uZZZZ"', '"\\u0141"', '"\\""', '"\\u005c"'])(
    'refuses escapes that give no base64: %s',
    async (contentBytes) => {
      expect(await faultsOf(`{"name":"a","contentBytes":${contentBytes}}`)).toEqual(['ValueNotAllowed /contentBytes']);
    },
  );

  it('takes a file of the limit, and not a byte more', async () => {
    const limits = { ...LIMITS, maxJsonAttachmentBytes: 200_000 };
    const body = (bytes: number) => ({ name: 'a', contentBytes: Buffer.alloc(bytes).toString('base64') });

    expect(bytesOf(await read(body(200_000), 'message', limits))).toHaveLength(200_000);
    expect(await errorOf(body(200_001), 'message', limits)).toMatchObject({
      code: 'RequestBodyTooLarge',
      status: 413,
      message: expect.stringMatching(/^A file in JSON may have at most 200000 bytes .* as bytes .* sourceUrl\.$/),
    });
  });

  it('takes no file over what is admitted', async () => {
    expect(await errorOf(FILE, 'message', { ...LIMITS, maxBytes: 9 })).toMatchObject({
      code: 'InvalidAttachment',
      message: 'At most 9 bytes can be attached; contentBytes has 10.',
      details: [{ code: 'SizeTooLarge', target: '/contentBytes' }],
    });
  });

  it.each([
    ['beside the file', ['{"name":"', 'a']],
    ['in white space', ['{', ' ']],
    ['in depth', ['', '[']],
    ['in the white space of the file', ['{"contentBytes":"', '\\n']],
    ['in a second file', ['{"contentBytes":"","contentBytes":"', 'QUJD']],
    ['after a fault of the file', ['{"contentBytes":"!', '!!!!']],
  ])('reads no endless body: %s', async (_, [start = '', more = '']) => {
    let pieces = 0;
    const endless = { read: async () => Buffer.from(pieces++ === 0 ? start : more.repeat(10_000)) };
    const limits = { ...LIMITS, maxJsonAttachmentBytes: 1000 };

    const reading = readJsonAttachment(endless, 'message', limits, UNCOUNTED, never);

    await expect(reading).rejects.toMatchObject({ code: 'RequestBodyTooLarge' });
    expect(pieces).toBeLessThan(20);
  });

  it('names the limit for what is beside the file', async () => {
    expect(await errorOf({ name: 'a'.repeat(MAX_REQUEST_BODY_BYTES) })).toMatchObject({
      code: 'RequestBodyTooLarge',
      message:
        'The members other than contentBytes have more than 65536 bytes. Send the file in contentBytes, or as the body itself with ?name=.',
    });
  });

  it('gives other work a turn after every step, however large the pieces are', async () => {
    const body = Buffer.from(JSON.stringify({ name: 'a', contentBytes: 'QUJD'.repeat(300_000) }));
    let turns = 0;
    let isReading = true;
    const others = (async () => {
      while (isReading) {
        await nextTurn();
        turns += 1;
      }
    })();

    await read(body);
    isReading = false;
    await others;

    expect(turns).toBeGreaterThanOrEqual(Math.floor(body.length / MAX_DECODE_STEP_BYTES));
  });

  it('fails as the reading of the body does', async () => {
    const failure = new ServiceError('CallerDisconnected', 'gone');
    const reading = readJsonAttachment({ read: () => Promise.reject(failure) }, 'message', LIMITS, UNCOUNTED, never);

    await expect(reading).rejects.toBe(failure);
  });
});

function targetOf(fault: string): string {
  return fault.slice(fault.indexOf(' ') + 1);
}

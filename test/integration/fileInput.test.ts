import { createHash } from 'node:crypto';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { type AttachSite, ITEMS, patchChunks, postBytes, startAttachSite } from '../support/attachSite.ts';
import { expectGraphError } from '../support/site.ts';
import { fileOf } from '../support/uploads.ts';

// What clients are known to send in the query and the headers of a file, from public reports, with neighbours of each.

const PHOTO = Buffer.from('\ufeffThe bytes of a photo, with ü.');
const BASE64 = PHOTO.toString('base64');
const UNKNOWN_TYPE = 'application/octet-stream'; // Of an attachment without a type, at the emulated Graph.

interface Sent {
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly isChunked?: boolean;
}

interface Attached {
  readonly name?: string;
  readonly contentType?: string;
  readonly bytes?: string | Buffer;
}

let site: AttachSite;

beforeAll(async () => {
  site = await startAttachSite();
});
beforeEach(() => site.graph.reset());
afterAll(() => site.close());

async function send({
  query = 'name=photo.jpg',
  headers = {},
  body = PHOTO,
  isChunked = false,
}: Sent): Promise<Response> {
  const { status, body: text } = await postBytes(
    `${site.api}/${ITEMS.message.path}?${query}`,
    Buffer.from(body),
    headers,
    isChunked,
  );
  return new Response(text, { status });
}

async function expectAttached(sent: Sent, { name, contentType, bytes = PHOTO }: Attached): Promise<void> {
  const answer = await send(sent);

  expect([answer.status, await answer.json()]).toEqual([201, expect.anything()]);
  expect(site.graph.attachments(ADELE.id, ITEMS.message.id)).toEqual([
    expect.objectContaining({
      ...(name !== undefined && { name }),
      ...(contentType !== undefined && { contentType }),
      size: Buffer.byteLength(bytes),
      sha256: createHash('sha256').update(bytes).digest('hex'),
    }),
  ]);
}

async function expectRefused(sent: Sent, target: string, message: RegExp, code = 'InvalidAttachment'): Promise<void> {
  const error = await expectGraphError(await send(sent), code === 'RequestBodyTooLarge' ? 413 : 400, code);

  expect(error.message).toMatch(message);
  expect(error.target ?? '').toBe(target);
  expect(site.graph.attachments(ADELE.id, ITEMS.message.id)).toEqual([]);
}

const JSON_TYPE = { 'content-type': 'application/json' };
const jsonOf = (value: unknown): Sent => ({ headers: JSON_TYPE, body: JSON.stringify(value) });
const CONTENT_OBJECT = jsonOf({ '$content-type': 'image/jpeg', $content: BASE64 });

describe('binary content that a custom connector has written as JSON', () => {
  test.each<[string, Sent, Attached]>([
    ['a content object', CONTENT_OBJECT, { contentType: 'image/jpeg' }],
    ['a content object without a type', jsonOf({ $content: BASE64 }), { contentType: UNKNOWN_TYPE }],
    ['a chunked content object', { ...CONTENT_OBJECT, isChunked: true }, { contentType: 'image/jpeg' }],
    [
      'a content object of a file that goes through a session',
      jsonOf({ '$content-type': 'image/jpeg', $content: Buffer.alloc(4_000_000, 'x').toString('base64') }),
      { contentType: 'image/jpeg', bytes: Buffer.alloc(4_000_000, 'x') },
    ],
    [
      'a content object with the size of its file, and a type that was chosen',
      { ...CONTENT_OBJECT, query: `name=photo.jpg&size=${PHOTO.length}&contentType=image/png` },
      { contentType: 'image/png' },
    ],
    [
      'a content object with the name in a header',
      {
        ...CONTENT_OBJECT,
        query: '',
        headers: { 'content-type': 'application/json; charset=utf-8', 'content-disposition': 'a; filename=photo.jpg' },
      },
      { name: 'photo.jpg', contentType: 'image/jpeg' },
    ],
    [
      'a file named .json',
      { ...CONTENT_OBJECT, query: 'name=photo.json' },
      { contentType: 'application/json', bytes: String(CONTENT_OBJECT.body) },
    ],
    [
      'an empty object named .geojson',
      { ...jsonOf({}), query: 'name=a.GeoJSON' },
      { contentType: 'application/json', bytes: '{}' },
    ],
    [
      'a file of a JSON type that was chosen',
      { ...jsonOf('text'), query: 'name=a.txt&contentType=application/ld%2Bjson' },
      { contentType: 'application/ld+json', bytes: '"text"' },
    ],
    ['JSON of another kind', jsonOf({ a: [1] }), { contentType: 'application/json', bytes: '{"a":[1]}' }],
    ['bytes that are not JSON', { headers: JSON_TYPE, body: PHOTO }, { contentType: 'application/json' }],
    ['JSON that was not declared as such', { body: '{}' }, { bytes: '{}' }],
  ])('attaches %s', (_, sent, attached) => expectAttached(sent, attached));

  test.each<[string, Sent]>([
    ['{}', jsonOf({})],
    ['null', jsonOf(null)],
    ['base64 in quotes', jsonOf(BASE64)],
    ['a data URL in quotes', { ...jsonOf(`data:image/jpeg;base64,${BASE64}`), isChunked: true }],
    ["Node's Buffer", jsonOf(PHOTO)],
    ['a list of numbers', jsonOf([...PHOTO])],
    ['a typed array', jsonOf(new Uint8Array(PHOTO))],
  ])('refuses %s instead of the bytes', (_, sent) => expectRefused(sent, '', /application\/octet-stream/));

  test('refuses content that is not base64, at its place', () =>
    expectRefused(jsonOf({ $content: 'The bytes.' }), '/$content', /'\$content' is not base64/));

  test('refuses another size than the content has', () =>
    expectRefused({ ...CONTENT_OBJECT, query: 'name=a.jpg&size=5' }, '?size', / 5, .* 33 bytes/, 'SizeMismatch'));

  test('refuses more than a file in JSON may have', () => {
    const sent = jsonOf({ $content: Buffer.alloc(26_214_401).toString('base64') });

    return expectRefused(sent, '', /26214400 bytes \(MAX_JSON_ATTACHMENT_BYTES\)/, 'RequestBodyTooLarge');
  });
});

const FORM = 'application/x-www-form-urlencoded';

test.each<[string, Sent, string]>([
  ['a default type of clients', { headers: { 'content-type': FORM } }, UNKNOWN_TYPE],
  ['the default type with a character set', { headers: { 'content-type': `${FORM}; charset=utf-8` } }, UNKNOWN_TYPE],
  ['the default type of a chunked body', { headers: { 'content-type': FORM }, isChunked: true }, UNKNOWN_TYPE],
  ['no type', {}, UNKNOWN_TYPE],
  ['a type', { headers: { 'content-type': 'image/jpeg' } }, 'image/jpeg'],
  [
    'a type in the query over the one in the header',
    { query: 'name=a&contentType=image%2Fpng', headers: { 'content-type': 'application/octet-stream' } },
    'image/png',
  ],
  [
    'a type in the query over the default one',
    { query: 'name=a&contentType=image/svg+xml', headers: { 'content-type': FORM } },
    'image/svg+xml',
  ],
  ['an empty type in the query', { query: 'name=a&contentType=', headers: { 'content-type': 'a/b' } }, 'a/b'],
])('passes on %s', (_, sent, contentType) => expectAttached(sent, { contentType }));

test('passes no default type on to the session that takes a workflow’s chunks', async () => {
  const file = fileOf(4_000_000);
  const headers = {
    'content-type': FORM,
    'x-ms-transfer-mode': 'chunked',
    'x-ms-content-length': String(file.bytes.length),
  };
  const opening = await postBytes(`${site.api}/${ITEMS.message.path}?name=a`, Buffer.alloc(0), headers);

  await patchChunks(String(opening.headers['location']), file);

  expect(site.graph.attachments(ADELE.id, ITEMS.message.id)).toMatchObject([
    { name: 'a', contentType: UNKNOWN_TYPE, sha256: file.sha256 },
  ]);
});

test.each([
  ['filename="=?utf-8?B?QW5nZWJvdCBmw7xyIFpvw6sgLSDopovnqY3mm7gucGRm?="', 'Angebot für Zoë - 見積書.pdf'],
  ['filename="=?UTF-8?Q?Angebot_f=C3=BCr_Zo=C3=AB.pdf?="', 'Angebot für Zoë.pdf'],
  ['filename="=?utf-8?B?QW5nZWJvdCBmw7w=?= =?utf-8?B?ciBab8OrLnBkZg==?="', 'Angebot für Zoë.pdf'],
  ['filename="=?iso-8859-1?Q?f=FCr.pdf?="', 'für.pdf'],
  ['filename="=?utf-8?B?YQ==?="; filename*=utf-8\'\'b%20%C3%BC.pdf', 'b ü.pdf'],
  ["filename*=utf-8''%3D%3Futf-8%3FB%3FYQ%3D%3D%3F%3D", '=?utf-8?B?YQ==?='],
  ['filename="=?.pdf"', '=?.pdf'],
])('attaches under the name in Content-Disposition: attachment; %s', (parameters, name) =>
  expectAttached({ query: '', headers: { 'content-disposition': `attachment; ${parameters}` } }, { name }),
);

test.each<[string, Sent, string]>([
  ['a tab in the query', { query: 'name=a%09b.pdf' }, 'a b.pdf'],
  ['a line break in the query', { query: 'name=a%0Ab.pdf' }, 'a b.pdf'],
  ['a line break of Windows in the query', { query: 'name=a%0D%0Ab.pdf' }, 'a b.pdf'],
  ['a tab in the header', { query: '', headers: { 'content-disposition': 'a; filename="a\tb.pdf"' } }, 'a b.pdf'],
  [
    'a line break in filename*',
    { query: '', headers: { 'content-disposition': "a; filename*=utf-8''a%0ab.pdf" } },
    'a b.pdf',
  ],
  [
    'a line break in an encoded word',
    { query: '', headers: { 'content-disposition': 'a; filename="=?utf-8?Q?a=0D=0Ab.pdf?="' } },
    'a b.pdf',
  ],
])('attaches a name with %s under a name with a space', (_, sent, name) => expectAttached(sent, { name }));

test('refuses a name with another control character', () =>
  expectRefused({ query: 'name=a%00b.pdf' }, '?name', /control characters/));

test.each([
  ['name=Q1 & Q2 #3.pdf', "'Q1 '"],
  ['name=R&D.pdf', "'R'"],
  ['name=AT&T&size=32', "'AT'"],
  ['size=32&NAME=A%20&=%20B.pdf', "'A '"],
  ['name=a.pdf&b(1).pdf=', "'a.pdf'"],
])('refuses a name whose & is not encoded: %s', (query, shown) =>
  expectRefused({ query }, '?name', new RegExp(`${shown}.*encode & as %26`)),
);

test.each([
  ['name=Q1%20%26%20Q2%20%233.pdf', 'Q1 & Q2 #3.pdf'],
  ['name=a.pdf&subscription-key=1&$x.y_z=2', 'a.pdf'],
  ['debug&trace(1)=2&name=a.pdf', 'a.pdf'],
  ['name=a.pdf&', 'a.pdf'],
  ['name=a=b.pdf', 'a=b.pdf'],
  ['name=100%.pdf', '100%.pdf'],
  ['name=%EF%BF%BD.pdf', '\ufffd.pdf'],
])('attaches under the name in ?%s', (query, name) => expectAttached({ query }, { name }));

test.each([
  ['name=caf%E9.pdf', '?name'],
  ['name=%C3.pdf', '?name'],
  ['name=%ED%A0%80.pdf', '?name'],
  ['name=a&contentId=%FF', '?contentId'],
])('refuses what is not UTF-8: ?%s', (query, target) => expectRefused({ query }, target, /not UTF-8.*\ufffd/));

test('refuses a name in the header that is not UTF-8', () =>
  expectRefused(
    { query: '', headers: { 'content-disposition': "a; filename*=utf-8''caf%E9.pdf" } },
    'Content-Disposition',
    /filename\*=UTF-8''/,
  ));

test('refuses a size over the largest with that size and the largest', () =>
  expectRefused(
    { query: 'name=a&size=157286401', isChunked: true },
    '?size',
    /157286401 bytes.*157286400.*MAX_OUTLOOK_ATTACHMENT_BYTES/,
    'RequestBodyTooLarge',
  ));

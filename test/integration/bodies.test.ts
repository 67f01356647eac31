import http from 'node:http';
import { gzipSync } from 'node:zlib';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { MAX_REQUEST_BODY_BYTES } from '../../shared/common/limits.ts';
import { type RawAnswer, sendRaw } from '../support/probeApp/sendRaw.ts';
import { ATTACHMENT_ITEM, graphErrorBody, type Site, startSite } from '../support/site.ts';

const REQUEST_TIMEOUT_MS = 4_000;
const TARGET = `/api/v1.0/me/messages/${ADELE.items.message[0]}/attachments/createUploadSession`;
const JSON_TYPE = ['Content-Type', 'application/json'];
const GOOD = Buffer.from(JSON.stringify(ATTACHMENT_ITEM));

let site: Site;

beforeAll(async () => {
  site = await startSite({ settings: { REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS) } });
});
beforeEach(() => site.graph.reset());
afterAll(() => site.close());

const CHUNKED = { 'transfer-encoding': 'chunked' };

function post(body: Uint8Array | string, headers: readonly string[] = JSON_TYPE): Promise<RawAnswer> {
  const bytes = Buffer.from(body);
  return sendRaw(site.url, {
    method: 'POST',
    target: TARGET,
    headers: [...headers, 'Content-Length', String(bytes.length)],
    body: bytes,
  });
}

function postChunked(body: Uint8Array): Promise<RawAnswer> {
  const headers = [...JSON_TYPE, 'Transfer-Encoding', 'chunked'];
  return sendRaw(site.url, { method: 'POST', target: TARGET, headers, body });
}

/** Sends one part after another for a while, then, if that was to be, the end. Gives the answer, which comes after it. */
async function postSlowly(
  headers: Readonly<Record<string, string>>,
  part: string,
  everyMs: number,
  endAfterMs: number | undefined,
): Promise<{ status: number | undefined; text: string }> {
  const { hostname, port } = new URL(site.url);
  const options = { hostname, port, path: TARGET, method: 'POST', agent: false };
  const request = http.request({ ...options, headers: { 'content-type': 'application/json', ...headers } });
  request.flushHeaders();
  const timer = setInterval(() => request.write(part), everyMs);
  const end = setTimeout(
    () => {
      clearInterval(timer);
      request.end();
    },
    endAfterMs ?? 2 ** 31 - 1,
  );
  try {
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      request.once('response', resolve);
      request.once('error', reject);
    });
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    return { status: response.statusCode, text: Buffer.concat(chunks).toString() };
  } finally {
    clearTimeout(end);
    clearInterval(timer);
    request.on('error', () => {}); // The site may close the connection under a body that it does not want.
    request.destroy();
  }
}

function expectError(answer: { status: number | undefined; text: string }, status: number, code: string): void {
  expect([answer.status, JSON.parse(answer.text)]).toEqual([status, graphErrorBody(code)]);
  expect(site.graph.requests).toEqual([]);
}

describe('a body sent in chunks', () => {
  test('is taken', async () => {
    const answer = await postChunked(GOOD);

    expect(answer.status).toBe(201);
  });

  test('is refused over the limit', async () => {
    const answer = await postChunked(Buffer.alloc(MAX_REQUEST_BODY_BYTES + 1, ' '));

    expectError(answer, 413, 'RequestBodyTooLarge');
  });

  test('that passes the limit and continues is refused when it ends', async () => {
    const answer = await postSlowly(CHUNKED, ' '.repeat(16_384), 2, 1_000);

    expectError(answer, 413, 'RequestBodyTooLarge');
  });

  test('that is slower than the time allows is refused when it ends', async () => {
    const answer = await postSlowly(CHUNKED, ' '.repeat(512), 1_000, REQUEST_TIMEOUT_MS + 1_500);

    expectError(answer, 408, 'RequestBodyTimeout');
  });

  test('that comes a byte a second is the platform’s own empty 500', async () => {
    const answer = await postSlowly(CHUNKED, ' ', 1_000, undefined);

    expect(answer).toEqual({ status: 500, text: '' });
  });
});

describe('a body with a declared length', () => {
  test('that comes a byte a second is the platform’s own empty 500', async () => {
    const answer = await postSlowly({ 'content-length': '100' }, ' ', 1_000, undefined);

    expect(answer).toEqual({ status: 500, text: '' });
    expect(site.graph.requests).toEqual([]);
  });

  test('over the limit is refused once it is through', async () => {
    const answer = await post(Buffer.alloc(MAX_REQUEST_BODY_BYTES + 1, ' '));

    expectError(answer, 413, 'RequestBodyTooLarge');
  });

  test('at the limit is taken', async () => {
    const answer = await post(Buffer.concat([Buffer.alloc(MAX_REQUEST_BODY_BYTES - GOOD.length, ' '), GOOD]));

    expect(answer.status).toBe(201);
  });
});

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

test('tolerates a byte order mark', async () => {
  const answer = await post(Buffer.concat([BOM, GOOD]));

  expect(answer.status).toBe(201);
});

const UNREADABLE: Readonly<Record<string, Uint8Array | string>> = {
  empty: '',
  'blank space': ' \n ',
  'only a byte order mark': BOM,
  'not JSON': 'AttachmentItem=file',
  'JSON that breaks off': '{"AttachmentItem":{"attachmentType":"file"',
  'two documents': '{}{}',
  'not UTF-8': Buffer.from([...Buffer.from('{"AttachmentItem":{"name":"'), 0xff, 0xfe, ...Buffer.from('"}}')]),
  'UTF-16': Buffer.from(GOOD.toString(), 'utf16le'),
  '60 KiB of opening brackets': '['.repeat(60 * 1024),
};

test.each(Object.entries(UNREADABLE))('refuses a body that is %s', async (_, body) => {
  expectError(await post(body), 400, 'InvalidJson');
});

const item = JSON.stringify(ATTACHMENT_ITEM.AttachmentItem);

const NO_ATTACHMENT: Readonly<Record<string, string>> = {
  'an array': '[]',
  'an array of items': `[${GOOD}]`,
  'a text': '"file"',
  'a number': '1',
  null: 'null',
  true: 'true',
  'an empty object': '{}',
  'an item without its wrapper': item,
  'the wrapper of To Do': `{"attachmentInfo":${item}}`,
  'a null item': '{"AttachmentItem":null}',
  'an array for the item': `{"AttachmentItem":[${item}]}`,
  '__proto__ next to the item': `{"__proto__":{},"AttachmentItem":${item}}`,
  '__proto__ in the item': `{"AttachmentItem":{"__proto__":{"size":3000000},"attachmentType":"file","name":"a"}}`,
  '__proto__ for the item': `{"__proto__":{"AttachmentItem":${item}}}`,
  'constructor next to the item': `{"constructor":{"prototype":{}},"AttachmentItem":${item}}`,
  'the item twice': `{"AttachmentItem":${item},"attachmentitem":${item}}`,
  'deep arrays': `{"AttachmentItem":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
  'deep objects': `{"AttachmentItem":{"name":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}}`,
  'thousands of unknown members': `{${Array.from({ length: 4000 }, (_, index) => `"member${index}":1`).join()}}`,
  'a size in quotes': '{"AttachmentItem":{"attachmentType":"file","name":"a","size":"3000000"}}',
  'a size beyond every number': '{"AttachmentItem":{"attachmentType":"file","name":"a","size":1e999}}',
};

test.each(Object.entries(NO_ATTACHMENT))('refuses %s', async (_, body) => {
  const answer = await post(body);

  expectError(answer, 400, 'InvalidAttachment');
  for (const { target, message } of JSON.parse(answer.text).error.details) {
    expect(target).toMatch(/^(\/.*)?$/);
    expect(message).toMatch(/\S/);
  }
});

test.each([
  ['no type', []],
  ['text/plain', ['Content-Type', 'text/plain']],
  ['a form', ['Content-Type', 'application/x-www-form-urlencoded']],
  ['another JSON', ['Content-Type', 'application/json-patch+json']],
  ['application/jsonx', ['Content-Type', 'application/jsonx']],
  ['UTF-16', ['Content-Type', 'application/json; charset=utf-16']],
  ['no media type at all', ['Content-Type', ';']],
  ['gzip', [...JSON_TYPE, 'Content-Encoding', 'gzip']],
  ['an unknown encoding', [...JSON_TYPE, 'Content-Encoding', 'zstd']],
])('refuses a body declared as %s', async (_, headers) => {
  const body = headers.includes('gzip') ? gzipSync(GOOD) : GOOD;

  expectError(await post(body, headers), 415, 'UnsupportedMediaType');
});

test.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"'])(
  'takes a body declared as %s',
  async (type) => {
    const answer = await post(GOOD, ['Content-Type', type]);

    expect(answer.status).toBe(201);
  },
);

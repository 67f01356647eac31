import { randomUUID } from 'node:crypto';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { type RawAnswer, sendRaw } from '../support/probeApp/sendRaw.ts';
import { ATTACHMENT_ITEM, type Site, startSite } from '../support/site.ts';
import { fileOf, openUpload } from '../support/uploads.ts';

const [messageId] = ADELE.items.message;
const ATTACH = `/api/me/messages/${messageId}/attachments`;
const OPEN = `${ATTACH}/createUploadSession`;
const ITEM = JSON.stringify(ATTACHMENT_ITEM);
const KEY = randomUUID();
const ID = randomUUID();

let site: Site;

beforeAll(async () => {
  site = await startSite({ storage: true, settings: { UPLOAD_URL: 'proxy' } });
});
beforeEach(() => site.graph.reset());
afterAll(() => site.close());

function post(target: string, headers: readonly string[], body: string): Promise<RawAnswer> {
  return sendRaw(site.url, {
    method: 'POST',
    target,
    headers: [...headers, 'Content-Length', String(Buffer.byteLength(body))],
    body: Buffer.from(body),
  });
}

function attached() {
  return site.graph.attachments(ADELE.id, messageId);
}

function errorOf({ status, text }: RawAnswer) {
  const { code, target } = JSON.parse(text).error;
  return { status, code, target };
}

function refusalOf(target: string) {
  return { status: 400, code: 'InvalidRequest', target };
}

const JSON_TYPE = ['Content-Type', 'application/json'];

describe('a header that came twice with the same value is one', () => {
  test.each([
    ['Content-Type', [...JSON_TYPE, ...JSON_TYPE]],
    ['Content-Type, joined by a comma', ['Content-Type', 'application/json,application/json']],
    ['Content-Type in other letter case', [...JSON_TYPE, 'content-type', 'Application/Json']],
    ['Content-Encoding', [...JSON_TYPE, 'Content-Encoding', 'identity', 'Content-Encoding', 'identity']],
  ])('%s of a JSON body', async (_, headers) => {
    expect((await post(OPEN, headers, ITEM)).status).toBe(201);
  });

  test('Content-Type of a file', async () => {
    const type = ['Content-Type', 'text/x-notes'];

    expect((await post(`${ATTACH}?name=a`, [...type, ...type], 'notes')).status).toBe(201);

    expect(attached()).toEqual([expect.objectContaining({ name: 'a', contentType: 'text/x-notes' })]);
  });

  test('Content-Disposition', async () => {
    const disposition = ['Content-Disposition', 'attachment; filename="a, b.txt"'];

    expect((await post(ATTACH, ['Content-Type', 'text/plain', ...disposition, ...disposition], 'notes')).status).toBe(
      201,
    );

    expect(attached()).toEqual([expect.objectContaining({ name: 'a, b.txt' })]);
  });

  test('Idempotency-Key', async () => {
    const once = ['Content-Type', 'text/plain', 'Idempotency-Key', KEY];
    const answers = [
      await post(`${ATTACH}?name=a`, once, 'notes'),
      await post(`${ATTACH}?name=a`, [...once, 'Idempotency-Key', KEY], 'notes'),
    ];

    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect(attached()).toHaveLength(1);
  });

  test('Content-Range', async () => {
    const file = fileOf(3 * 1024 * 1024);
    const { url } = await openUpload(site, file);
    const range = ['Content-Range', `bytes 0-${file.bytes.length - 1}/${file.bytes.length}`];
    const length = ['Content-Length', String(file.bytes.length)];

    const answer = await sendRaw(site.url, {
      method: 'PUT',
      target: new URL(url).pathname,
      headers: [...range, ...range, ...length],
      body: file.bytes,
    });

    expect(answer.status).toBe(201);
  });

  test('client-request-id', async () => {
    const answer = await post(OPEN, [...JSON_TYPE, 'client-request-id', ID, 'client-request-id', ID], ITEM);

    expect([answer.status, answer.headers['client-request-id']]).toEqual([201, ID]);
  });
});

describe('a header that came twice with different values', () => {
  test.each([
    ['of a session', OPEN],
    ['of a file', `${ATTACH}?name=a`],
  ])('is 400 and named: Content-Type %s', async (_, target) => {
    for (const headers of [
      [...JSON_TYPE, 'Content-Type', 'text/plain'],
      ['Content-Type', 'application/json, text/plain'],
    ]) {
      expect(errorOf(await post(target, headers, ITEM))).toEqual(refusalOf('Content-Type'));
    }
    expect(attached()).toEqual([]);
  });

  test.each([
    ['Content-Disposition', 'attachment; filename=a', 'attachment; filename=b'],
    ['Idempotency-Key', 'one', 'two'],
    ['x-ms-transfer-mode', 'chunked', 'whole'],
  ])('is 400 and named: %s', async (name, one, other) => {
    const headers = ['Content-Type', 'text/plain', name, one, name, other];
    const named = name === 'Content-Disposition' ? '' : '?name=a';

    expect(errorOf(await post(`${ATTACH}${named}`, headers, 'notes'))).toEqual(refusalOf(name));
    expect(attached()).toEqual([]);
  });

  test('is 400 and named: x-ms-content-length', async () => {
    const lengths = ['x-ms-content-length', '5', 'x-ms-content-length', '6'];
    const headers = ['Content-Type', 'text/plain', 'x-ms-transfer-mode', 'chunked', ...lengths];

    expect(errorOf(await post(`${ATTACH}?name=a`, headers, ''))).toEqual(refusalOf('x-ms-content-length'));
  });

  test('is 400 and named: Content-Range, and the upload continues', async () => {
    const file = fileOf(3 * 1024 * 1024);
    const { url } = await openUpload(site, file);
    const { length } = file.bytes;
    const put = (...ranges: string[]) =>
      sendRaw(site.url, {
        method: 'PUT',
        target: new URL(url).pathname,
        headers: [...ranges.flatMap((range) => ['Content-Range', range]), 'Content-Length', String(length)],
        body: file.bytes,
      });

    expect(errorOf(await put(`bytes 0-${length - 1}/${length}`, `bytes 0-1/${length}`))).toEqual(
      refusalOf('Content-Range'),
    );
    expect((await put(`bytes 0-${length - 1}/${length}`)).status).toBe(201);
  });

  test('is refused by the platform: Content-Length', async () => {
    const headers = [...JSON_TYPE, 'Content-Length', '5', 'Content-Length', '6'];

    expect((await sendRaw(site.url, { method: 'POST', target: OPEN, headers, body: Buffer.from(ITEM) })).status).toBe(
      400,
    );
  });

  test('is 415: Content-Encoding', async () => {
    const headers = [...JSON_TYPE, 'Content-Encoding', 'identity', 'Content-Encoding', 'gzip'];

    expect(errorOf(await post(OPEN, headers, ITEM))).toMatchObject({ status: 415, code: 'UnsupportedMediaType' });
  });

  test('counts as not sent: client-request-id, x-ms-workflow-run-id', async () => {
    const ids = ['client-request-id', ID, 'client-request-id', randomUUID()];
    const runs = ['x-ms-workflow-run-id', 'one', 'x-ms-workflow-run-id', 'two'];

    const answer = await post(OPEN, [...JSON_TYPE, ...ids, ...runs], ITEM);

    expect(answer.status).toBe(201);
    expect(ids).not.toContain(answer.headers['client-request-id']);
    const requestId = answer.headers['x-ms-invocation-id'];
    expect(await site.findEvent('request', (line) => line['requestId'] === requestId)).not.toHaveProperty(
      'workflowRunId',
    );
  });

  test('belongs together: Prefer', async () => {
    const headers = [...JSON_TYPE, 'Prefer', 'return=minimal', 'Prefer', 'IdType="ImmutableId"'];

    expect((await post(OPEN, headers, ITEM)).status).toBe(201);

    expect(site.graph.requests[0]?.headers['prefer']).toContain('ImmutableId');
  });
});

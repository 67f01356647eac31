import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { expectGraphError, type Site, startSite } from '../support/site.ts';
import { fileOf, openUpload, putFile, putRange } from '../support/uploads.ts';

const MEBIBYTE = 1024 * 1024;
const [messageId] = ADELE.items.message;
const TASK = `users/${ADELE.id}/todo/lists/${ADELE.items.todoTaskList[0]}/tasks/${ADELE.items.todoTask[0]}`;

let site: Site;

beforeAll(async () => {
  site = await startSite({
    storage: true,
    settings: { UPLOAD_URL: 'proxy', ALLOW_ANY_MAILBOX: 'true' },
    graph: { appOnlyFamilies: 'all' },
  });
});
beforeEach(() => site.graph.reset());
afterAll(() => site.close());

function puts() {
  return site.graph.requests.filter(({ method }) => method === 'PUT');
}

test("gives Graph's answer with its own address and closed ranges", async () => {
  const { url, session } = await openUpload(site, fileOf(3 * MEBIBYTE));

  expect(url).toMatch(new RegExp(`^${site.api}/uploadSessions/[\\w-]{43}$`));
  expect(session).toEqual({
    '@odata.context': expect.any(String),
    uploadUrl: url,
    expirationDateTime: expect.any(String),
    nextExpectedRanges: [`0-${3 * MEBIBYTE - 1}`],
  });
});

test.each([
  ['a message', `me/messages/${messageId}`, messageId, 5 * MEBIBYTE],
  ['an event', `me/events/${ADELE.items.event[0]}`, ADELE.items.event[0], 5 * MEBIBYTE + 1],
  ['a task', TASK, ADELE.items.todoTask[0], 4 * MEBIBYTE],
])('carries a file to %s, whole and once', async (_, item, itemId, sliceBytes) => {
  const file = fileOf(12 * MEBIBYTE + 17);
  const { url } = await openUpload(site, file, item);

  const answers = await putFile(url, file, sliceBytes);

  expect(answers.map(({ status }) => status)).toEqual([...answers.slice(1).map(() => 200), 201]);
  const last = answers.at(-1);
  expect(await last?.text()).toBe('');
  expect(last?.headers.get('content-type')).toBeNull();
  const [attachment, ...others] = site.graph.attachments(ADELE.id, itemId);
  expect(others).toEqual([]);
  expect(attachment).toEqual(expect.objectContaining({ name: file.name, sha256: file.sha256 }));
  expect(decodeURIComponent(last?.headers.get('location') ?? '')).toContain(attachment?.id);
});

test('sends no Authorization to the upload host, whatever the caller sends', async () => {
  const file = fileOf(3 * MEBIBYTE);
  const { url } = await openUpload(site, file);

  const answer = await fetch(url, {
    method: 'PUT',
    headers: { authorization: 'Bearer theirs', 'content-range': `bytes 0-${3 * MEBIBYTE - 1}/${3 * MEBIBYTE}` },
    body: file.bytes,
  });

  expect(answer.status).toBe(201);
  expect(puts()[0]?.headers.authorization).toBeUndefined();
});

test('says where it is, answers what is held without sending it again, and trims what overlaps', async () => {
  const file = fileOf(9 * MEBIBYTE);
  const { url } = await openUpload(site, file);
  await putRange(url, file, 0, 3 * MEBIBYTE - 1);
  const sent = puts().length;

  const again = await putRange(url, file, MEBIBYTE, 2 * MEBIBYTE - 1);
  expect([again.status, await again.json()]).toEqual([
    200,
    { expirationDateTime: expect.any(String), nextExpectedRanges: [`${3 * MEBIBYTE}-${9 * MEBIBYTE - 1}`] },
  ]);
  expect(puts()).toHaveLength(sent);
  const shown = await fetch(url);
  expect(await shown.json()).toEqual({
    expirationDateTime: expect.any(String),
    nextExpectedRanges: [`${3 * MEBIBYTE}-${9 * MEBIBYTE - 1}`],
    status: 'uploading',
  });

  const overlapping = await putRange(url, file, 2 * MEBIBYTE, 6 * MEBIBYTE - 1);
  expect(await overlapping.json()).toMatchObject({ nextExpectedRanges: [`${6 * MEBIBYTE}-${9 * MEBIBYTE - 1}`] });
  const ahead = await putRange(url, file, 7 * MEBIBYTE, 9 * MEBIBYTE - 1);
  const { message } = await expectGraphError(ahead, 416, 'RangeNotExpected');
  expect(message).toContain(`${6 * MEBIBYTE}-${9 * MEBIBYTE - 1}`);

  const last = await putRange(url, file, 6 * MEBIBYTE, 9 * MEBIBYTE - 1);
  const lastAgain = await putRange(url, file, 6 * MEBIBYTE, 9 * MEBIBYTE - 1);
  expect([last.status, lastAgain.status]).toEqual([201, 201]);
  expect(lastAgain.headers.get('location')).toBe(last.headers.get('location'));
  expect(site.graph.attachments(ADELE.id, messageId)).toEqual([expect.objectContaining({ sha256: file.sha256 })]);
});

test.each([
  ['no range', {}, 10],
  ['a wrong range', { 'content-range': 'bytes 5-2/10' }, 10],
  ['another total', { 'content-range': 'bytes 0-9/11' }, 10],
  ['another length', { 'content-range': `bytes 0-8/${3 * MEBIBYTE}` }, 10],
])('refuses %s', async (_, headers, length) => {
  const { url } = await openUpload(site, fileOf(3 * MEBIBYTE));

  const answer = await fetch(url, { method: 'PUT', headers, body: Buffer.alloc(length) });

  await expectGraphError(answer, 400, 'InvalidRange');
  expect(puts()).toEqual([]);
});

test.each([
  ['more', 1],
  ['fewer', -1],
])('attaches nothing where a chunked body has %s bytes than its range', async (_, difference) => {
  const file = fileOf(3 * MEBIBYTE);
  const { url } = await openUpload(site, file);
  const total = file.bytes.byteLength;
  const outgoing = request(url, { method: 'PUT', headers: { 'content-range': `bytes 0-${total - 1}/${total}` } });
  outgoing.write(file.bytes.subarray(0, 1000));
  outgoing.end(Buffer.alloc(total - 1000 + difference));

  const status = await new Promise((resolve) =>
    outgoing.once('response', (answer) => resolve(answer.resume().statusCode)),
  );

  expect(status).toBe(400);
  expect(site.graph.attachments(ADELE.id, messageId)).toEqual([]);
  expect((await putFile(url, file, total)).map(({ status: sent }) => sent)).toEqual([201]);
});

test.each(['x', 'A'.repeat(43), `${'A'.repeat(42)}%2F`])('knows no upload %s', async (id) => {
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
    await expectGraphError(await fetch(`${site.api}/uploadSessions/${id}`, { method }), 404, 'UploadNotFound');
  }
});

test('cancels at Graph and here', async () => {
  const file = fileOf(9 * MEBIBYTE);
  const { url } = await openUpload(site, file);
  await putRange(url, file, 0, 3 * MEBIBYTE - 1);

  const cancelled = await fetch(url, { method: 'DELETE' });

  expect(cancelled.status).toBe(204);
  expect(site.graph.requests.at(-1)).toMatchObject({ method: 'DELETE', status: 204 });
  await expectGraphError(await putRange(url, file, 3 * MEBIBYTE, 6 * MEBIBYTE - 1), 410, 'UploadCancelled');
  expect((await fetch(url, { method: 'DELETE' })).status).toBe(204);
});

test('does not cancel what is attached', async () => {
  const file = fileOf(3 * MEBIBYTE);
  const { url } = await openUpload(site, file);
  await putFile(url, file, file.bytes.byteLength);

  await expectGraphError(await fetch(url, { method: 'DELETE' }), 409, 'UploadCompleted');
});

test('speaks the form of chunked messages to PATCH', async () => {
  const file = fileOf(5 * MEBIBYTE);
  const { url } = await openUpload(site, file);
  const patch = (first: number, last: number) =>
    fetch(url, {
      method: 'PATCH',
      headers: { 'content-range': `bytes=${first}-${last}/${file.bytes.byteLength}` },
      body: file.bytes.subarray(first, last + 1),
    });

  const first = await patch(0, 3_932_159);
  const last = await patch(3_932_160, file.bytes.byteLength - 1);

  expect([first.status, first.headers.get('range'), first.headers.get('x-ms-chunk-size')]).toEqual([
    200,
    'bytes=0-3932159',
    '3932160',
  ]);
  expect([last.status, last.headers.get('range')]).toEqual([200, `bytes=0-${file.bytes.byteLength - 1}`]);
  const [attachment] = site.graph.attachments(ADELE.id, messageId);
  expect(await last.json()).toMatchObject({ id: attachment?.id, name: file.name });
});

test('lets others to a mailbox while slow callers send to it', async () => {
  const file = fileOf(3 * MEBIBYTE);
  const uploads = await Promise.all(Array.from({ length: 6 }, () => openUpload(site, file)));
  const slow = uploads.map(({ url }) => {
    const outgoing = request(url, {
      method: 'PUT',
      headers: { 'content-range': `bytes 0-${3 * MEBIBYTE - 1}/${3 * MEBIBYTE}` },
    });
    outgoing.on('error', () => {}); // Each is broken off in the end.
    outgoing.write(file.bytes.subarray(0, 100_000));
    return outgoing;
  });
  await delay(700);

  const { url } = await openUpload(site, file);
  const answers = await putFile(url, file, file.bytes.byteLength);

  expect(answers.map(({ status }) => status)).toEqual([201]);
  expect(puts()).toHaveLength(1);
  for (const outgoing of slow) outgoing.destroy();
});

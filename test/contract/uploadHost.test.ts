import { createHash } from 'node:crypto';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { errorOf, type GraphBench, MESSAGE, startGraph } from './emulators.ts';
import { openUpload, type PutOptions, putPiece } from './uploads.ts';

const MIB = 1_048_576;
const FILE = Buffer.alloc(5 * MIB, 'attachment');
const messageId = ADELE.items.message[0];
const todoTask = `/v1.0/users/${ADELE.id}/todo/lists/${ADELE.items.todoTaskList[0]}/tasks/${ADELE.items.todoTask[0]}`;

describe('the upload host', () => {
  let bench: GraphBench;

  beforeAll(async () => {
    bench = await startGraph({ appOnlyFamilies: 'all' });
  });
  afterAll(() => bench.graph.close());
  afterEach(() => bench.graph.reset());

  const open = (members: Record<string, unknown> = {}) => openUpload(bench, { size: FILE.length, ...members });
  const put = (url: string, start: number, end: number, options: PutOptions = {}) =>
    putPiece(bench, url, FILE, start, end, options);

  test('takes pieces in order and makes the attachment', async () => {
    const url = await open({ contentType: 'text/plain', isInline: true, contentId: 'logo' });

    const first = await put(url, 0, 2 * MIB);
    const last = await put(url, 2 * MIB, FILE.length);

    expect(first.status).toBe(200);
    expect(first.json).toEqual({
      '@odata.context': expect.any(String),
      ExpirationDateTime: '2026-01-02T04:04:05.6780000Z',
      nextExpectedRanges: ['2097152'],
    });
    expect([last.status, last.text, last.headers['content-length']]).toEqual([201, '', '0']);
    expect(bench.graph.attachments(ADELE.userPrincipalName, messageId)).toEqual([
      expect.objectContaining({
        name: 'plan.pdf',
        size: FILE.length,
        sha256: createHash('sha256').update(FILE).digest('hex'),
        contentType: 'text/plain',
        isInline: true,
        contentId: 'logo',
      }),
    ]);
  });

  test('names the attachment in Location, under which Graph gives it', async () => {
    const url = await open({ size: 3 * MIB });

    const { headers } = await put(url, 0, 3 * MIB, { total: 3 * MIB });

    const id = decodeURIComponent(/\/Attachments\('([^']+)'\)$/.exec(headers.location ?? '')?.[1] ?? '');
    const single = await bench.call('GET', `${MESSAGE}/attachments/${id}`);
    const list = await bench.call('GET', `${MESSAGE}/attachments`);
    expect(single.json).toMatchObject({ '@odata.type': '#microsoft.graph.fileAttachment', id, name: 'plan.pdf' });
    expect(Number(single.json['size'])).toBeGreaterThan(3 * MIB);
    expect(list.json['value']).toEqual([expect.objectContaining({ id })]);
    expect((await put(url, 0, 3 * MIB, { total: 3 * MIB })).status).toBe(404);
  });

  test('refuses an Authorization header, and an authtoken that is missing or wrong', async () => {
    const url = await open();

    const answers = [
      await put(url, 0, MIB, { headers: { authorization: 'Bearer anything' } }),
      await put(url.replace(/\?.*/, ''), 0, MIB),
      await put(url.replace(/authtoken=.*/, 'authtoken=wrong'), 0, MIB),
    ];

    for (const answer of answers) {
      expect([answer.status, errorOf(answer)['code']]).toEqual([401, 'InvalidAudienceForResource']);
    }
  });

  test.each([
    ['a gap', 2 * MIB, 3 * MIB, {}, 'fragmentOutOfOrder'],
    ['an overlap', 0, 2 * MIB, {}, 'fragmentOverlap'],
    ['another total', MIB, 2 * MIB, { total: 6 * MIB }, 'invalidRange'],
    ['a length that is not the range', MIB, 2 * MIB, { body: FILE.subarray(0, 10) }, 'fragmentLengthMismatch'],
    ['no range', MIB, 2 * MIB, { headers: { 'content-range': 'all' } }, 'invalidRange'],
  ])('answers %s with 416 and goes on from where it was', async (_what, start, end, options, code) => {
    const url = await open();
    await put(url, 0, MIB);

    const refused = await put(url, start, end, options);
    const next = await put(url, MIB, 2 * MIB);

    expect([refused.status, errorOf(refused)['code']]).toEqual([416, 'invalidRange']);
    expect(errorOf(refused)['innerError']).toMatchObject({ code });
    expect(next.json['nextExpectedRanges']).toEqual(['2097152']);
  });

  test('takes a piece of 4 MiB, and longer ones when a setting allows', async () => {
    const url = await open();

    const over = await put(url, 0, 4 * MIB + 1);
    bench.graph.settings.maxChunkBytes = 5 * MIB;
    const allowed = await put(await open(), 0, FILE.length);
    bench.graph.settings.maxChunkBytes = 4 * MIB;
    const full = await put(url, 0, 4 * MIB);

    expect([over.status, allowed.status, full.status]).toEqual([413, 201, 200]);
  });

  test('takes of two pieces at once only the one that comes next', async () => {
    bench.graph.settings.uploadBytesPerSecond = 20 * MIB;
    const url = await open({ size: 3 * MIB });

    const [first, second] = await Promise.all([
      put(url, 0, 2 * MIB, { total: 3 * MIB }),
      put(url, 2 * MIB, 3 * MIB, { total: 3 * MIB }),
    ]);
    const last = await put(url, 2 * MIB, 3 * MIB, { total: 3 * MIB });

    expect([first.status, second.status, last.status]).toEqual([200, 416, 201]);
    expect(bench.graph.attachments(ADELE.id, messageId)).toEqual([
      expect.objectContaining({
        sha256: createHash('sha256')
          .update(FILE.subarray(0, 3 * MIB))
          .digest('hex'),
      }),
    ]);
  });

  test('takes of one piece sent twice at once only one', async () => {
    bench.graph.settings.uploadBytesPerSecond = 20 * MIB;
    const url = await open({ size: 3 * MIB });

    const answers = await Promise.all([1, 2].map(() => put(url, 0, 3 * MIB, { total: 3 * MIB })));

    expect(answers.map(({ status }) => status).sort()).toEqual([201, 404]);
    expect(bench.graph.attachments(ADELE.id, messageId)).toHaveLength(1);
  });

  test('offers no GET', async () => {
    const answer = await bench.call('GET', await open(), { headers: {} });

    expect(answer.status).toBe(405);
  });

  test('reads a piece no faster than set, and waits before each answer', async () => {
    Object.assign(bench.graph.settings, { uploadBytesPerSecond: 10 * MIB, uploadLatencyMs: 100 });
    const url = await open();
    const startedAt = performance.now();

    await put(url, 0, 2 * MIB);
    await put(url, 2 * MIB, 4 * MIB);

    // Node's timers may fire up to a millisecond early.
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(2 * (200 + 100) - 10);
  });

  test('holds a sender back', async () => {
    const size = 64 * MIB;
    Object.assign(bench.graph.settings, { uploadBytesPerSecond: 1 * MIB, maxPieceBytes: size });
    const url = await open({ size });

    const body = Buffer.alloc(size);
    await expect(put(url, 0, size, { total: size, body, timeoutMs: 500 })).rejects.toThrow();

    expect(bench.graph.requests.at(-1)?.bytes).toBeLessThan(2 * MIB);
    bench.graph.settings.uploadBytesPerSecond = 0; // What is left in the sockets is read at once.
    while (bench.graph.requests.at(-1)?.aborted === false) await new Promise((resolve) => setTimeout(resolve, 2));
  });

  test('counts the pieces in flight for each mailbox, apart from the calls', async () => {
    bench.graph.settings.uploadLatencyMs = 50;
    const urls = await Promise.all([open(), open(), open()]);

    await Promise.all(urls.map((url) => put(url, 0, MIB)));

    expect(bench.graph.maxConcurrentChunksPerMailbox).toBe(3);
  });

  test('records of a PUT how much came and what was answered, not the bytes', async () => {
    const url = await open();
    await put(url, 0, MIB);

    expect(bench.graph.requests.at(-1)).toMatchObject({
      method: 'PUT',
      path: url.slice(bench.graph.url.length),
      headers: { 'content-range': `bytes 0-${MIB - 1}/${FILE.length}` },
      bytes: MIB,
      body: '',
      status: 200,
    });
  });

  test('cancels a session', async () => {
    const url = await open();

    expect((await bench.call('DELETE', url, { headers: {} })).status).toBe(204);
    expect((await put(url, 0, MIB)).status).toBe(404);
  });

  test('ends a session at its expiry, which a PUT does not move', async () => {
    const url = await open();
    bench.clock.ms += 3_599_000;
    const before = await put(url, 0, MIB);
    bench.clock.ms += 2000;

    const after = await put(url, MIB, 2 * MIB);

    expect([before.status, after.status]).toEqual([200, 401]);
  });

  test('keeps To Do sessions on Graph, with a bearer and below /content', async () => {
    const total = 1000;
    const answer = await bench.create(todoTask, {
      attachmentInfo: { attachmentType: 'file', name: 'a.txt', size: total },
    });
    const url = String(answer.json['uploadUrl']);
    const token = bench.tokens.issue({ audience: bench.graph.url, lifetimeSeconds: 60 });
    const headers = { authorization: `Bearer ${token}` };

    const withoutContent = await put(url, 0, 500, { total, headers });
    const withoutBearer = await put(`${url}/content`, 0, 500, { total });
    const first = await put(`${url}/content`, 0, 500, { total, headers });
    const last = await put(`${url}/content`, 500, total, { total, headers });

    expect(url).toContain(`${bench.graph.url}${todoTask}/attachmentSessions/`);
    expect([withoutContent.status, withoutBearer.status, first.status, last.status]).toEqual([405, 401, 200, 201]);
    expect(first.json['NextExpectedRanges']).toEqual(['500']);
    const { pathname } = new URL(last.headers.location ?? '');
    expect((await bench.call('GET', pathname)).json).toMatchObject({ name: 'a.txt' });
  });
});

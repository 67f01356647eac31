import { createHash } from 'node:crypto';
import { ADELE, MARKETING } from '../../local/emulators/graph/seed.ts';
import { attachmentItem, errorOf, type GraphBench, MESSAGE, startGraph } from './emulators.ts';
import { openUpload, putPiece } from './uploads.ts';

const MIB = 1_048_576;
const FILE = Buffer.from('attachment');
const [messageId] = ADELE.items.message;
const user = `/v1.0/users/${ADELE.id}`;
const todoTask = `${user}/todo/lists/${ADELE.items.todoTaskList[0]}/tasks/${ADELE.items.todoTask[0]}`;
const group = `/v1.0/groups/${MARKETING.id}`;
const post = `${group}/threads/${MARKETING.items.thread[0]}/posts/${MARKETING.items.post[0]}`;

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function fileAttachment(content: Buffer, members: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    '@odata.type': '#microsoft.graph.fileAttachment',
    name: 'a.txt',
    contentBytes: content.toString('base64'),
    ...members,
  };
}

describe('the attachments of an item', () => {
  let bench: GraphBench;

  beforeAll(async () => {
    bench = await startGraph();
  });
  afterAll(() => bench.graph.close());
  afterEach(() => bench.graph.reset());

  test('are listed in pages, each with the URL of the next', async () => {
    for (let n = 0; n < 12; n += 1) await attach(fileAttachment(FILE, { name: String(n) }));
    const walk = async (query: string): Promise<unknown[][]> => {
      const found: unknown[][] = [];
      for (let url: unknown = `${MESSAGE}/attachments${query}`; typeof url === 'string'; ) {
        const { status, json } = await bench.call('GET', url);
        expect(status).toBe(200);
        found.push((json['value'] as Record<string, unknown>[]).map(({ name }) => name));
        url = json['@odata.nextLink'];
      }
      return found;
    };
    const names = Array.from({ length: 12 }, (_, n) => String(n));

    expect(await walk('')).toEqual([names.slice(0, 10), names.slice(10)]);
    expect(await walk('?$select=name&$top=5')).toEqual([names.slice(0, 5), names.slice(5, 10), names.slice(10)]);
    expect(await walk('?$top=12')).toEqual([names]);
    expect(await walk('?$skip=11')).toEqual([['11']]);
    const { json } = await bench.call('GET', `${MESSAGE}/attachments?$select=name&$top=5`);
    expect(json['@odata.nextLink']).toBe(`${bench.graph.url}${MESSAGE}/attachments?$select=name&$top=5&$skip=5`);
  });

  test.each(['$top=0', '$top=1001', '$top=x', '$skip=-1'])('refuse a page of %s', async (query) => {
    expect((await bench.call('GET', `${MESSAGE}/attachments?${query}`)).status).toBe(400);
  });

  const attach = (body: unknown, path = MESSAGE, headers: Record<string, string> = {}) =>
    bench.call('POST', `${path}/attachments`, {
      headers: { authorization: `Bearer ${bench.token()}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });

  test('are added in one call, whose answer is the attachment', async () => {
    const sent = fileAttachment(FILE, { contentType: 'text/plain', isInline: true, contentId: 'logo', size: 10 });

    const answer = await attach(sent, MESSAGE, { prefer: 'IdType="ImmutableId"' });

    expect(answer.status).toBe(201);
    expect(answer.json).toEqual({
      '@odata.context': expect.stringMatching(/\/attachments\/\$entity$/),
      '@odata.type': '#microsoft.graph.fileAttachment',
      '@odata.mediaContentType': 'text/plain',
      id: expect.any(String),
      lastModifiedDateTime: '2026-01-02T03:04:05.678Z',
      name: 'a.txt',
      contentType: 'text/plain',
      size: expect.any(Number),
      isInline: true,
      contentId: 'logo',
      contentLocation: null,
      contentBytes: FILE.toString('base64'),
    });
    expect(Number(answer.json['size'])).toBeGreaterThan(FILE.length);
    expect(bench.graph.attachments(ADELE.id, messageId)).toEqual([
      expect.objectContaining({ id: answer.json['id'], name: 'a.txt', size: FILE.length, sha256: sha256(FILE) }),
    ]);
    expect(bench.graph.requests.at(-1)).toMatchObject({
      headers: { prefer: 'IdType="ImmutableId"' },
      body: JSON.stringify(sent),
      status: 201,
    });
  });

  test.each([
    [`${user}/messages/${messageId}`, 'fileAttachment'],
    [`/beta/users('${ADELE.id}')/mailFolders/inbox/messages('${messageId}')`, 'fileAttachment'],
    [`${user}/calendar/events/${ADELE.items.event[0]}`, 'fileAttachment'],
    [todoTask, 'taskFileAttachment'],
    [`${group}/events/${MARKETING.items.event[0]}`, 'fileAttachment'],
    [post, 'fileAttachment'],
    [`${post}/inReplyTo`, 'fileAttachment'],
    [`/beta/users/${ADELE.id}/outlook/tasks/${ADELE.items.outlookTask[0]}`, 'fileAttachment'],
  ])('are added, listed, read and deleted at %s', async (path, type) => {
    bench.graph.settings.appOnlyFamilies = 'all';
    const odataType = `#microsoft.graph.${type}`;

    const added = await attach(fileAttachment(FILE, { '@odata.type': odataType }), path);
    const one = `${path}/attachments/${added.json['id']}`;
    const read = await bench.call('GET', one);
    const list = await bench.call('GET', `${path}/attachments`);
    const deleted = await bench.call('DELETE', one);
    const gone = [await bench.call('GET', one), await bench.call('DELETE', one)];

    expect(added.json).toMatchObject({ '@odata.type': odataType, contentBytes: FILE.toString('base64') });
    expect(read.json).toEqual(added.json);
    expect(list.json['value']).toEqual([expect.objectContaining({ '@odata.type': odataType, id: added.json['id'] })]);
    expect([added.status, read.status, list.status, deleted.status]).toEqual([201, 200, 200, 204]);
    expect(gone.map(({ status }) => status)).toEqual([404, 404]);
  });

  test('of a To Do task have the members of their type, and a list without bytes', async () => {
    bench.graph.settings.appOnlyFamilies = 'all';
    const sent = { '@odata.type': 'microsoft.graph.taskFileAttachment' };

    const refused = await attach(fileAttachment(FILE, { ...sent, isInline: true }), todoTask);
    const { json } = await attach(fileAttachment(FILE, sent), todoTask);
    const list = await bench.call('GET', `${todoTask}/attachments`);

    expect([refused.status, errorOf(refused)['code']]).toEqual([400, 'RequestBodyRead']);
    const { '@odata.context': _, contentBytes, ...metadata } = json;
    expect(Object.keys(metadata).sort()).toEqual([
      '@odata.type',
      'contentType',
      'id',
      'lastModifiedDateTime',
      'name',
      'size',
    ]);
    expect(contentBytes).toBe(FILE.toString('base64'));
    expect(list.json['value']).toEqual([metadata]);
  });

  test.each([
    ['no type', { '@odata.type': undefined }, 422, 'UnprocessableType'],
    ['another type', { '@odata.type': '#microsoft.graph.taskFileAttachment' }, 400, 'BadRequest'],
    ['the bytes of a file as an item', { '@odata.type': '#microsoft.graph.itemAttachment' }, 400, 'RequestBodyRead'],
    ['no bytes', { contentBytes: undefined }, 400, 'ErrorRequiredPropertyMissing'],
    ['no name', { name: null }, 400, 'ErrorRequiredPropertyMissing'],
    ['bytes that are not base64', { contentBytes: 'a b' }, 400, 'RequestBodyRead'],
    ['an unknown member', { colour: 'red' }, 400, 'RequestBodyRead'],
    ['a size that is a string', { size: '10' }, 400, 'RequestBodyRead'],
  ])('are not added with %s', async (_what, members, status, code) => {
    const answer = await attach(fileAttachment(FILE, members));

    expect([answer.status, errorOf(answer)['code']]).toEqual([status, code]);
    expect(bench.graph.attachments(ADELE.id, messageId)).toEqual([]);
  });

  test('are not added with their type after a property', async () => {
    const { '@odata.type': type, ...members } = fileAttachment(FILE);
    const answer = await attach({ ...members, '@odata.type': type });

    expect([answer.status, errorOf(answer)['code']]).toEqual([400, 'RequestBodyRead']);
  });

  test('take an app-only token where sessions do', async () => {
    const answer = await attach(fileAttachment(FILE), post);

    expect([answer.status, errorOf(answer)['code']]).toEqual([403, 'ErrorAccessDenied']);
  });

  test('may have in one call what a body of 4 MiB holds, and more when a setting allows', async () => {
    const longest = Buffer.alloc(3_145_500);
    const longer = Buffer.alloc(4 * MIB);

    const statuses = [(await attach(fileAttachment(longest))).status, (await attach(fileAttachment(longer))).status];
    bench.graph.settings.singlePostLimitBytes = 4 * MIB;
    statuses.push((await attach(fileAttachment(longer))).status);

    expect(statuses).toEqual([201, 413, 201]);
    expect(bench.graph.attachments(ADELE.id, messageId).map((attachment) => attachment.sha256)).toEqual([
      sha256(longest),
      sha256(longer),
    ]);
    expect(bench.graph.requests.at(-1)).toMatchObject({ body: '', bytes: expect.any(Number) });
  });

  test.each([413, 400] as const)('are refused with %i over a lower limit', async (status) => {
    Object.assign(bench.graph.settings, { singlePostLimitBytes: FILE.length, singlePostRefusal: status });

    const over = await attach(fileAttachment(Buffer.alloc(FILE.length + 1)));
    const within = await attach(fileAttachment(FILE));

    expect([over.status, within.status]).toEqual([status, 201]);
  });

  test('may not pass the limit of the message, by a POST or by a piece', async () => {
    bench.graph.settings.maxTotalAttachmentBytes = 3 * MIB;
    const file = Buffer.alloc(3 * MIB);
    const url = await openUpload(bench, { size: file.length });

    const first = await attach(fileAttachment(Buffer.alloc(MIB)));
    const pieces = [await putPiece(bench, url, file, 0, 2 * MIB), await putPiece(bench, url, file, 2 * MIB, 3 * MIB)];
    const second = await attach(fileAttachment(Buffer.alloc(2 * MIB + 1)));

    expect([first.status, pieces[0]?.status, pieces[1]?.status, second.status]).toEqual([201, 200, 413, 413]);
    const error = { error: { code: 'ErrorMessageSizeExceeded', message: expect.any(String) } };
    expect([pieces[1]?.json, second.json]).toEqual([error, error]);
    expect(bench.graph.attachments(ADELE.id, messageId)).toHaveLength(1);
  });

  test('are read with the members that are selected', async () => {
    const { json } = await attach(fileAttachment(FILE, { contentId: 'logo' }));
    const path = `${MESSAGE}/attachments`;
    const selected = { '@odata.type': '#microsoft.graph.fileAttachment', id: json['id'], name: 'a.txt' };

    const one = await bench.call('GET', `${path}/${json['id']}?$select=id,NAME`);
    const list = await bench.call('GET', `${path}?%24select=id,name&$top=1`);
    const cast = await bench.call('GET', `${path}/${json['id']}?$select=microsoft.graph.fileAttachment/contentId`);
    const uncast = await bench.call('GET', `${path}?$select=id,contentId`);

    expect(one.json).toEqual({ '@odata.context': expect.any(String), ...selected });
    expect(list.json['value']).toEqual([selected]);
    expect(cast.json['contentId']).toBe('logo');
    expect([uncast.status, errorOf(uncast)['code'], errorOf(uncast)['message']]).toEqual([
      400,
      'RequestBroker--ParseUri',
      "Could not find a property named 'contentId' on type 'microsoft.graph.attachment'.",
    ]);
  });

  test('that came by a session are read with their bytes while these are few', async () => {
    const [small, large] = [Buffer.alloc(3 * MIB, 'small'), Buffer.alloc(5 * MIB, 'large')];
    await putPiece(bench, await openUpload(bench, { size: small.length }), small, 0, small.length);
    const url = await openUpload(bench, { size: large.length });
    await putPiece(bench, url, large, 0, 4 * MIB);
    await putPiece(bench, url, large, 4 * MIB, 5 * MIB);
    const [first, second] = bench.graph.attachments(ADELE.id, messageId);

    const whole = await bench.call('GET', `${MESSAGE}/attachments/${first?.id}`);
    const tooLarge = await bench.call('GET', `${MESSAGE}/attachments/${second?.id}`);
    const metadata = await bench.call('GET', `${MESSAGE}/attachments/${second?.id}?$select=id,size`);

    expect(sha256(Buffer.from(String(whole.json['contentBytes']), 'base64'))).toBe(sha256(small));
    expect([tooLarge.status, metadata.status, metadata.json['id']]).toEqual([504, 200, second?.id]);
  });

  test('are counted among the calls in flight, and recorded', async () => {
    bench.graph.settings.latencyMs = 50;

    await Promise.all([attach(fileAttachment(FILE)), attach(fileAttachment(FILE)), bench.create(MESSAGE)]);

    expect(bench.graph.maxConcurrentPerMailbox).toBe(3);
  });

  test('meet errors their own', async () => {
    bench.graph.play({ error: 'status503', on: 'read' });
    bench.graph.play({ error: 'status429', on: 'attach' });

    const created = await bench.create(MESSAGE);
    const statuses = [
      (await attach(fileAttachment(FILE))).status,
      (await attach(fileAttachment(FILE))).status,
      (await bench.call('GET', `${MESSAGE}/attachments`)).status,
      (await bench.call('GET', `${MESSAGE}/attachments`)).status,
    ];

    expect([created.status, ...statuses]).toEqual([201, 429, 201, 503, 200]);
  });

  test('meet errors by the id of their item', async () => {
    const path = (id: string) => `${user}/messages/${id}`;

    const attached = await attach(fileAttachment(FILE), path('error=status423;on=attach'));
    const read = await bench.call('GET', `${path('error=status504;on=read;times=1')}/attachments`);
    const opened = await bench.create(path('error=status423;on=attach'), attachmentItem());

    expect([attached.status, read.status, opened.status]).toEqual([423, 504, 201]);
  });

  test('are there although the answer to the POST was lost', async () => {
    bench.graph.play({ error: 'resetAfterCommit', on: 'attach' });

    await expect(attach(fileAttachment(FILE))).rejects.toThrow();

    expect(bench.graph.attachments(ADELE.id, messageId)).toEqual([expect.objectContaining({ sha256: sha256(FILE) })]);
  });
});

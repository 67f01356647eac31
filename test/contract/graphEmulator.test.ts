import { ADELE, MARKETING, MEGAN } from '../../local/emulators/graph/seed.ts';
import { attachmentItem, errorOf, type GraphBench, MESSAGE, startGraph } from './emulators.ts';

const GUID = /^[0-9a-f-]{36}$/;
const user = `/v1.0/users/${ADELE.id}`;
const [message, event, folder, innerFolder] = [
  ADELE.items.message[0],
  ADELE.items.event[0],
  ADELE.items.mailFolder[0],
  ADELE.items.mailFolder[1],
];
const [calendar, calendarGroup] = [ADELE.items.calendar[0], ADELE.items.calendarGroup[0]];
const todoTask = `${user}/todo/lists/${ADELE.items.todoTaskList[0]}/tasks/${ADELE.items.todoTask[0]}`;
const outlookTask = `/beta/users/${ADELE.id}/outlook/tasks/${ADELE.items.outlookTask[0]}`;
const group = `/v1.0/groups/${MARKETING.id}`;
const post = `threads/${MARKETING.items.thread[0]}/posts/${MARKETING.items.post[0]}`;

describe('the Graph emulator', () => {
  let bench: GraphBench;

  beforeAll(async () => {
    bench = await startGraph();
  });
  afterAll(() => bench.graph.close());
  afterEach(() => bench.graph.reset());

  test('answers a session as Graph does', async () => {
    const answer = await bench.create(MESSAGE);

    expect(answer.status).toBe(201);
    expect(answer.headers).toMatchObject({
      'content-type':
        'application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8',
      'request-id': expect.stringMatching(GUID),
      'x-ms-ags-diagnostic': expect.stringContaining('ServerInfo'),
      'cache-control': expect.any(String),
      'strict-transport-security': expect.any(String),
    });
    expect(answer.headers['client-request-id']).toBe(answer.headers['request-id']);
    expect(answer.json).toEqual({
      '@odata.context': `${bench.graph.url}/v1.0/$metadata#microsoft.graph.uploadSession`,
      uploadUrl: expect.stringMatching(
        /^https:\/\/localhost:\d+\/api\/gv1\.0\/users\('[^']+@[^']+'\)\/messages\('[^']+'\)\/AttachmentSessions\('[^']+'\)\?authtoken=\S+$/,
      ),
      expirationDateTime: '2026-01-02T04:04:05.6780000Z',
      nextExpectedRanges: ['0-'],
    });
  });

  test.each([
    `${user}/messages/${message}`,
    `/beta/users/${ADELE.userPrincipalName.toUpperCase()}/messages/${message}`,
    `/v1.0/users('${ADELE.id}')/messages('${encodeURIComponent(message)}')`,
    `/v1.0/Users/${ADELE.id}/MailFolders/inbox/Messages/${message}`,
    `${user}/mailFolders/${folder}/childFolders/${innerFolder}/messages/${message}`,
    `${user}/messages/${message}/event`,
    `${user}/messages/${message}/microsoft.graph.eventMessage/event`,
    `${user}/events/${event}/instances/${event}/exceptionOccurrences/${event}`,
    `${user}/calendar/events/${event}`,
    `${user}/calendarView/${event}`,
    `${user}/calendars/${calendar}/calendarView/${event}`,
    `${user}/calendarGroups/${calendarGroup}/calendars/${calendar}/events/${event}`,
  ])('opens a session on %s', async (path) => {
    expect((await bench.create(path)).status).toBe(201);
  });

  test('takes the qualified name of the action', async () => {
    const answer = await bench.call('POST', `${MESSAGE}/attachments/microsoft.graph.createUploadSession`);

    expect(errorOf(answer)['message']).toBe('Empty Payload. JSON content expected.');
  });

  const delegatedOnly = [
    { path: todoTask, status: 200, body: { attachmentInfo: { attachmentType: 'file', name: 'a', size: 1 } } },
    { path: outlookTask, status: 201, body: attachmentItem() },
    { path: `${group}/events/${MARKETING.items.event[0]}`, status: 201, body: attachmentItem() },
    { path: `${group}/${post}`, status: 201, body: attachmentItem() },
    {
      path: `${group}/conversations/${MARKETING.items.conversation[0]}/${post}/inReplyTo`,
      status: 201,
      body: attachmentItem(),
    },
  ];

  test.each(delegatedOnly)('refuses an app-only token on $path', async ({ path, body }) => {
    const answer = await bench.create(path, body);

    expect([answer.status, errorOf(answer)['code']]).toEqual([403, 'ErrorAccessDenied']);
  });

  test.each(delegatedOnly)('opens a session on $path when every family is app-only', async ({ path, body, status }) => {
    bench.graph.settings.appOnlyFamilies = 'all';

    expect((await bench.create(path, body)).status).toBe(status);
  });

  test.each([
    [`/v1.0/me/messages/${message}`, 400, 'BadRequest'],
    [`/v2.0/users/x/messages/${message}`, 400, 'BadRequest'],
    [`${user}/contacts/x`, 400, 'BadRequest'],
    [`/v1.0/users/${ADELE.id}/joinedGroups/${MARKETING.id}/${post}`, 400, 'BadRequest'],
    [`/v1.0/users/${ADELE.id}/outlook/tasks/${ADELE.items.outlookTask[0]}`, 400, 'BadRequest'],
    [`/v1.0/users/nobody@contoso.example/messages/${message}`, 404, 'ErrorInvalidUser'],
    [`${user}/messages/AAMkAGgone=`, 404, 'ErrorItemNotFound'],
    [`${user}/messages/${MEGAN.items.message[0]}`, 404, 'ErrorItemNotFound'],
    [`${user}/messages/${event}`, 404, 'ErrorItemNotFound'],
    [`${user}/messages/not%20an%20id`, 400, 'ErrorInvalidIdMalformed'],
  ])('answers %s with %i %s', async (path, status, code) => {
    const answer = await bench.create(path);

    expect([answer.status, errorOf(answer)['code']]).toEqual([status, code]);
  });

  test.each([
    ['', 400, 'BadRequest'],
    ['{', 400, 'BadRequest'],
    [[], 400, 'UnableToDeserializePostBody'],
    [{}, 400, 'RequestBodyRead'],
    [{ attachmentInfo: {} }, 400, 'RequestBodyRead'],
    [attachmentItem({ colour: 'red' }), 400, 'RequestBodyRead'],
    [attachmentItem({ size: '3000000' }), 400, 'RequestBodyRead'],
    [attachmentItem({ attachmentType: 'String' }), 400, 'RequestBodyRead'],
    [attachmentItem({ attachmentType: 'item' }), 405, 'ErrorAttachmentSessionIsSupportedOnlyForFileAttachments'],
    [attachmentItem({ size: 2_097_151 }), 400, 'ErrorAttachmentSizeShouldNotBeLessThanMinimumSize'],
  ])('answers the body %j with %i %s', async (body, status, code) => {
    const answer = await bench.create(MESSAGE, body);

    expect([answer.status, errorOf(answer)['code']]).toEqual([status, code]);
  });

  test('reads member names in any case, nulls and annotations', async () => {
    const item = {
      '@odata.type': '#microsoft.graph.attachmentItem',
      ATTACHMENTTYPE: 'FILE',
      Size: 2_097_152,
      contentId: null,
    };

    expect((await bench.create(MESSAGE, { attachmentitem: item })).status).toBe(201);
  });

  test('refuses a body over 4 MiB', async () => {
    expect((await bench.create(MESSAGE, attachmentItem({ name: 'x'.repeat(4_194_304) }))).status).toBe(413);
  });

  test('writes errors in the shape of Graph and echoes the client-request-id', async () => {
    const clientRequestId = '7b1c3a52-6c3f-4a52-9f0c-0d6b2a7f6a11';

    const answer = await bench.create(`${user}/messages/AAMkAGgone=`, attachmentItem(), {
      headers: { 'client-request-id': clientRequestId },
    });

    expect(answer.headers['client-request-id']).toBe(clientRequestId);
    expect(answer.json).toEqual({
      error: {
        code: 'ErrorItemNotFound',
        message: 'The specified object was not found in the store.',
        innerError: {
          date: '2026-01-02T03:04:05',
          'request-id': answer.headers['request-id'],
          'client-request-id': clientRequestId,
        },
      },
    });
  });

  test('refuses a token that is missing, unknown, expired, revoked or for another audience', async () => {
    const { tokens, clock } = bench;
    const audience = 'https://graph.microsoft.com';
    const expired = tokens.issue({ audience, lifetimeSeconds: 1 });
    const foreign = tokens.issue({ audience: 'https://vault.azure.net', lifetimeSeconds: 60 });
    clock.ms += 2000;
    const good = tokens.issue({ audience, lifetimeSeconds: 60 });
    const tryToken = (authorization?: string) =>
      bench.call('POST', `${MESSAGE}/attachments/createUploadSession`, {
        headers: authorization === undefined ? {} : { authorization },
      });

    const before = await tryToken(`Bearer ${good}`);
    tokens.revokeAll();
    const refused = [undefined, 'Bearer made-up', `Bearer ${expired}`, `Bearer ${foreign}`, `Bearer ${good}`];
    const answers = await Promise.all(refused.map(tryToken));

    expect(before.status).toBe(400);
    for (const answer of answers) {
      expect([answer.status, errorOf(answer)['code']]).toEqual([401, 'InvalidAuthenticationToken']);
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer /);
    }
  });

  test('finds any id when set so', async () => {
    bench.graph.settings.anyItem = true;

    const answer = await bench.create(`/v1.0/users/any@contoso.example/messages/a%3Ab'c`);

    expect(answer.status).toBe(201);
    expect(answer.json['uploadUrl']).toContain("/messages('a%3Ab''c')/");
  });

  test('makes a draft that takes attachments', async () => {
    const draft = await bench.call('POST', `${user}/messages`);

    const path = `${user}/messages/${draft.json['id']}`;
    expect(draft.status).toBe(201);
    expect((await bench.call('GET', path)).json).toMatchObject({ id: draft.json['id'], hasAttachments: false });
    expect((await bench.create(path)).status).toBe(201);
  });

  test('adds a mailbox and forgets it at reset', async () => {
    const id = '9f4d3c1e-2f5a-4b64-8d5e-6a2d8e0b7c33';
    bench.graph.addMailbox({ kind: 'user', id, items: { message: ['AAMkAGnew='] } });

    const added = await bench.create(`/v1.0/users/${id}/messages/AAMkAGnew=`);
    bench.graph.reset();
    const forgotten = await bench.create(`/v1.0/users/${id}/messages/AAMkAGnew=`);

    expect([added.status, forgotten.status]).toEqual([201, 404]);
  });

  test('records what arrived and what was answered', async () => {
    const answer = await bench.create(MESSAGE, attachmentItem(), { headers: { traceparent: 'abc' } });

    expect(bench.graph.requests).toEqual([
      expect.objectContaining({
        method: 'POST',
        path: `${MESSAGE}/attachments/createUploadSession`,
        headers: expect.objectContaining({ traceparent: 'abc' }),
        body: JSON.stringify(attachmentItem()),
        status: 201,
        requestId: answer.headers['request-id'],
        aborted: false,
      }),
    ]);
  });

  test('records a client that went away, and when', async () => {
    bench.graph.play({ error: 'hangBeforeHeaders' });

    await expect(bench.create(MESSAGE, attachmentItem(), { timeoutMs: 50 })).rejects.toThrow();
    const leftAt = Date.now();
    while (bench.graph.requests[0]?.aborted === false) await new Promise((resolve) => setTimeout(resolve, 2));

    expect(bench.graph.requests[0]).toMatchObject({ aborted: true, error: 'hangBeforeHeaders' });
    expect(bench.graph.requests[0]?.abortedAt).toBeGreaterThanOrEqual(leftAt - 100);
  });

  test('counts the calls in flight for each mailbox, whatever its spelling', async () => {
    bench.graph.settings.latencyMs = 50;
    const paths = [
      MESSAGE,
      `${user}/events/${event}`,
      MESSAGE,
      `/v1.0/users/${MEGAN.id}/messages/${MEGAN.items.message[0]}`,
    ];

    await Promise.all(paths.map((path) => bench.create(path)));

    expect(bench.graph.maxConcurrentPerMailbox).toBe(3);
  });

  test('keeps the newest requests up to its limit', async () => {
    const small = await startGraph({ recordLimit: 2 });

    for (let call = 0; call < 5; call += 1) await small.call('GET', `/v1.0/users/${call}`);
    await small.graph.close();

    expect(small.graph.requests.map(({ path }) => path)).toEqual(['/v1.0/users/3', '/v1.0/users/4']);
  });

  test('closes at once while an answer hangs', async () => {
    const other = await startGraph();
    other.graph.play({ error: 'hangInBody' });
    const hanging = expect(other.create(MESSAGE)).rejects.toThrow();
    while (other.graph.requests[0]?.status === undefined) await new Promise((resolve) => setTimeout(resolve, 2));

    await other.graph.close();

    await hanging;
  });
});

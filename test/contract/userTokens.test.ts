import { createHash } from 'node:crypto';
import { ADELE, MARKETING, MEGAN } from '../../local/emulators/graph/seed.ts';
import { attachmentItem, errorOf, type GraphBench, startGraph } from './emulators.ts';
import { putPiece } from './uploads.ts';

const MIB = 1_048_576;
const FILE = Buffer.alloc(3 * MIB, 'attachment');
const SHA256 = createHash('sha256').update(FILE).digest('hex');
const ATTACHMENT_INFO = { attachmentInfo: { attachmentType: 'file', name: 'a.txt', size: FILE.length } };
const { message, event, todoTaskList, todoTask, outlookTask } = ADELE.items;
const post = `threads/${MARKETING.items.thread[0]}/posts/${MARKETING.items.post[0]}`;
const group = `groups/${MARKETING.id}`;
const task = `todo/lists/${todoTaskList[0]}/tasks/${todoTask[0]}`;

describe("with a user's token, the Graph emulator", () => {
  let bench: GraphBench;

  beforeAll(async () => {
    bench = await startGraph();
  });
  afterAll(() => bench.graph.close());
  afterEach(() => bench.graph.reset());

  const bearer = (userId?: string) => ({ authorization: `Bearer ${bench.token(userId)}` });
  const createAs = (userId: string | undefined, path: string, body: unknown = attachmentItem({ size: FILE.length })) =>
    bench.create(path, body, { headers: bearer(userId) });

  test.each([
    { path: `me/messages/${message[0]}`, item: message[0], owner: ADELE.id },
    { path: `me/events/${event[0]}`, item: event[0], owner: ADELE.id },
    { path: `users/${ADELE.userPrincipalName}/messages/${message[0]}`, item: message[0], owner: ADELE.id },
    { path: `${group}/${post}`, item: MARKETING.items.post[0], owner: MARKETING.id },
    { path: `${group}/events/${MARKETING.items.event[0]}`, item: MARKETING.items.event[0], owner: MARKETING.id },
    { path: `me/outlook/tasks/${outlookTask[0]}`, item: outlookTask[0], owner: ADELE.id },
  ])('takes an upload to $path', async ({ path, item, owner }) => {
    const { json } = await createAs(ADELE.id, `/beta/${path}`);

    const last = await putPiece(bench, String(json['uploadUrl']), FILE, 0, FILE.length);

    expect(last.status).toBe(201);
    expect(bench.graph.attachments(owner, item)).toEqual([expect.objectContaining({ sha256: SHA256 })]);
  });

  test('takes an upload to a To Do task, each piece with the token of the same user', async () => {
    const opened = await createAs(ADELE.id, `/v1.0/me/${task}`, ATTACHMENT_INFO);
    const url = `${opened.json['uploadUrl']}/content`;
    const put = (headers: Record<string, string>, start: number, end: number) =>
      putPiece(bench, url, FILE, start, end, { headers });

    const refused = [
      await put({}, 0, MIB),
      await put(bearer(MEGAN.id), 0, MIB),
      await put(bearer(), 0, MIB),
      await bench.call('DELETE', String(opened.json['uploadUrl']), { headers: bearer(MEGAN.id) }),
    ];
    const taken = [await put(bearer(ADELE.id), 0, MIB), await put(bearer(ADELE.id), MIB, FILE.length)];

    expect(url).toContain(`/v1.0/users/${ADELE.id}/todo/`);
    expect(refused.map(({ status }) => status)).toEqual([401, 403, 403, 403]);
    expect(taken.map(({ status }) => status)).toEqual([200, 201]);
    expect(bench.graph.attachments(ADELE.id, todoTask[0])).toEqual([expect.objectContaining({ sha256: SHA256 })]);
  });

  test("refuses an app's session to a user's token", async () => {
    bench.graph.settings.appOnlyFamilies = 'all';
    const opened = await createAs(undefined, `/v1.0/users/${ADELE.id}/${task}`, ATTACHMENT_INFO);

    const answer = await putPiece(bench, `${opened.json['uploadUrl']}/content`, FILE, 0, MIB, {
      headers: bearer(ADELE.id),
    });

    expect(answer.status).toBe(403);
  });

  test('attaches in one call, and reads', async () => {
    const answer = await bench.call('POST', `/v1.0/me/${task}/attachments`, {
      headers: { ...bearer(ADELE.id), 'content-type': 'application/json' },
      body: JSON.stringify({ '@odata.type': '#microsoft.graph.taskFileAttachment', name: 'a', contentBytes: 'YQ==' }),
    });
    const read = await bench.call('GET', `/v1.0/me/${task}/attachments/${answer.json['id']}`, {
      headers: bearer(ADELE.id),
    });

    expect([answer.status, read.status, read.json['contentBytes']]).toEqual([201, 200, 'YQ==']);
  });

  test.each([
    ["another user's message", `users/${ADELE.id}/messages/${message[0]}`, 403, 'ErrorAccessDenied'],
    ["an item that another user's mailbox does not hold", `users/${ADELE.id}/messages/no=`, 403, 'ErrorAccessDenied'],
    ['a group without the user', `${group}/${post}`, 403, 'ErrorAccessDenied'],
    ['a group that is not there', `groups/${MEGAN.id}0/${post}`, 404, 'Request_ResourceNotFound'],
    ['a user that is not there', `users/nobody@contoso.example/messages/x=`, 404, 'ErrorInvalidUser'],
    ["another user's item under me", `me/messages/${message[0]}`, 404, 'ErrorItemNotFound'],
  ])('refuses %s', async (_what, path, status, code) => {
    const answer = await createAs(MEGAN.id, `/v1.0/${path}`);

    expect([answer.status, errorOf(answer)['code']]).toEqual([status, code]);
  });

  test('finds any id only in the own mailbox and in unknown groups, when set so', async () => {
    bench.graph.settings.anyItem = true;

    const answers = [
      await createAs(MEGAN.id, '/v1.0/me/messages/any'),
      await createAs(MEGAN.id, `/v1.0/groups/any/${post}`),
      await createAs(MEGAN.id, '/v1.0/users/any@contoso.example/messages/any'),
      await createAs(MEGAN.id, `/v1.0/${group}/${post}`),
    ];

    expect(answers.map(({ status }) => status)).toEqual([201, 201, 403, 403]);
  });

  test('finds any user that is added to be a member', async () => {
    const id = '3a1f9d0e-5b7c-4e0d-9a52-7f1f0d8c2b64';
    bench.graph.addMailbox({ kind: 'group', id, members: [MEGAN.id], items: MARKETING.items });

    expect((await createAs(MEGAN.id, `/v1.0/groups/${id}/${post}`)).status).toBe(201);
  });

  test('records whose token each call came with', async () => {
    await createAs(ADELE.id, `/v1.0/me/messages/${message[0]}`);
    const opened = await createAs(ADELE.id, `/v1.0/me/${task}`, ATTACHMENT_INFO);
    await putPiece(bench, `${opened.json['uploadUrl']}/content`, FILE, 0, MIB, { headers: bearer(ADELE.id) });
    await createAs(undefined, `/v1.0/me/messages/${message[0]}`);
    await bench.create(`/v1.0/me/messages/${message[0]}`, '', { headers: { authorization: 'Bearer no' } });

    const adele = { kind: 'user', userId: ADELE.id };
    expect(bench.graph.requests.map(({ caller }) => caller)).toEqual([adele, adele, adele, { kind: 'app' }, undefined]);
  });

  test('counts calls to me with those to the mailbox', async () => {
    bench.graph.settings.latencyMs = 50;

    await Promise.all([
      createAs(ADELE.id, `/v1.0/me/messages/${message[0]}`),
      createAs(MEGAN.id, `/v1.0/me/messages/${MEGAN.items.message[0]}`),
      createAs(undefined, `/v1.0/users/${ADELE.userPrincipalName}/messages/${message[0]}`),
    ]);

    expect(bench.graph.maxConcurrentPerMailbox).toBe(2);
  });

  test('challenges what a user’s apps hold once the sessions were revoked, and takes a new token', async () => {
    const revoked = bench.token(ADELE.id);
    bench.tokens.revokeUser(ADELE.id);
    const path = `/v1.0/me/messages/${message[0]}`;

    const answer = await bench.create(path, attachmentItem(), { headers: { authorization: `Bearer ${revoked}` } });

    const challenge = answer.headers['www-authenticate'] ?? '';
    const [, claims = ''] = /error="insufficient_claims", claims="([^"]+)"/.exec(challenge) ?? [];
    expect([answer.status, errorOf(answer)['code']]).toEqual([401, 'InvalidAuthenticationToken']);
    expect(JSON.parse(Buffer.from(claims, 'base64').toString())).toEqual({
      access_token: { nbf: { essential: true, value: String(Math.floor(bench.clock.ms / 1000)) } },
    });
    expect((await createAs(ADELE.id, path)).status).toBe(201);
    expect((await createAs(MEGAN.id, `/v1.0/me/messages/${MEGAN.items.message[0]}`)).status).toBe(201);
  });
});

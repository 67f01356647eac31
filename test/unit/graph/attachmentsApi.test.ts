import { createAttachmentsApi } from '../../../shared/graph/attachmentsApi.ts';
import type { CallContext, GraphHttp } from '../../../shared/graph/graphHttp.ts';
import { LogEntry } from '../../../shared/logging/logEntry.ts';
import { describeAttachment } from '../../../shared/transfer/describeAttachment.ts';
import { attachmentIdIn } from '../../../shared/transfer/findAttachment.ts';
import type { UploadRecord } from '../../../shared/uploads/uploadRecord.ts';
import { INFO, openDeadline, upstreamAnswer } from '../../support/builders.ts';
import { manualClock, turns } from '../../support/manualClock.ts';

const ORIGIN = 'https://graph.microsoft.com';
const LIST = '/users/adele%40contoso.example/messages/AAMk%3D/attachments';
const MESSAGE: UploadRecord['target'] = {
  kind: 'message',
  version: 'v1.0',
  owner: { kind: 'mailbox', id: 'adele@contoso.example' },
  itemPath: 'messages/AAMk%3D',
};
const TASK: UploadRecord['target'] = { ...MESSAGE, kind: 'todoTask', itemPath: 'todo/lists/l/tasks/t' };

type Send = (path: string, context: CallContext) => Promise<unknown>;

/** An item whose GETs come to this; `paths` is what was asked for. */
function itemOf(send: Send, target = MESSAGE) {
  const paths: string[] = [];
  const clock = manualClock();
  const graphHttp: GraphHttp = {
    async send({ path }, context) {
      paths.push(path);
      return upstreamAnswer(200, JSON.stringify(await send(path, context)));
    },
  };
  const tokens = { acquire: async () => 'token', invalidate: () => {} };
  const context = { tokens, deadline: openDeadline(220_000), logEntry: new LogEntry('attach') };
  return {
    item: createAttachmentsApi({ graphOrigin: ORIGIN, graphHttp, target, call: INFO, context, clock }),
    paths,
    clock,
  };
}

/** A list of this number of attachments, in pages; each link begins with what is given. */
function pages(count: number, size: number, base = `${ORIGIN}/v1.0${LIST}`): Send {
  return async (path) => {
    const skip = Number(new URLSearchParams(path.split('?')[1]).get('$skip') ?? 0);
    const value = Array.from({ length: Math.min(size, count - skip) }, (_, n) => ({ id: String(skip + n) }));
    return {
      ...(skip + size < count && { '@odata.nextLink': `${base}?$top=${size}&$skip=${skip + size}` }),
      value,
    };
  };
}

describe('listAttachments', () => {
  it.each([
    [0, 100, 1],
    [100, 100, 1],
    [101, 100, 2],
    [250, 100, 3],
    [250, 10, 25],
  ])('gives %d attachments in pages of %d, in %d calls', async (count, size, calls) => {
    const { item, paths } = itemOf(pages(count, size));

    const ids = (await item.listAttachments()).map(({ id }) => id);

    expect(ids).toEqual(Array.from({ length: count }, (_, n) => String(n)));
    expect(paths).toHaveLength(calls);
  });

  it.each([
    ['another host', `https://elsewhere.invalid/v1.0${LIST}`],
    ['another mailbox', `${ORIGIN}/v1.0/users/megan%40contoso.example/messages/AAMk%3D/attachments`],
    ['another resource', `${ORIGIN}/v1.0/users`],
    ['no TLS', `http://graph.microsoft.com/v1.0${LIST}`],
    ['keys in parentheses', `${ORIGIN}/v1.0/users('adele@contoso.example')/messages('AAMk=')/attachments`],
  ])('stays at its own host and path if the link has %s', async (_, base) => {
    const { item, paths } = itemOf(pages(101, 100, base));

    expect(await item.listAttachments()).toHaveLength(101);
    expect(paths).toEqual([expect.any(String), `${LIST}?$top=100&$skip=100`]);
  });

  it('fails if the list does not end', async () => {
    const { item, paths } = itemOf(pages(Number.POSITIVE_INFINITY, 10));

    await expect(item.listAttachments()).rejects.toMatchObject({ code: 'GraphAnswerInvalid' });
    expect(paths).toHaveLength(25);
  });

  it.each(['next', `${ORIGIN}/v1.0${LIST}`])('fails if the link has no query: %s', async (link) => {
    const { item, paths } = itemOf(async () => ({ '@odata.nextLink': link, value: [] }));

    await expect(item.listAttachments()).rejects.toMatchObject({ code: 'GraphAnswerInvalid' });
    expect(paths).toHaveLength(1);
  });
});

describe('readAttachment', () => {
  const FILE = { attachmentId: 'a', target: MESSAGE, attachment: { name: 'a.pdf', sizeBytes: 9 } };

  /** Graph takes the call and never answers; the call ends with its signal. */
  const silent: Send = (_, { deadline: { signal } }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

  it('is given up after 3 seconds of 220, and the answer has what is known', async () => {
    const { item, clock, paths } = itemOf(silent);
    let described: unknown;
    void describeAttachment(FILE, item).then((answer) => {
      described = answer;
    });
    await turns();
    await clock.advance(2_999);
    expect([described, paths.length]).toEqual([undefined, 1]);

    await clock.advance(1);

    expect(described).toEqual({
      '@odata.type': '#microsoft.graph.fileAttachment',
      id: 'a',
      name: 'a.pdf',
      contentType: null,
      size: 9,
      isInline: false,
      contentId: null,
    });
  });

  it('leaves 3 seconds to what retries it', async () => {
    const remaining: number[] = [];
    const { item } = itemOf(async (_, { deadline }) => {
      remaining.push(deadline.remainingMs());
      return { id: 'a', name: 'as Graph has it' };
    });

    expect(await describeAttachment(FILE, item)).toEqual({ id: 'a', name: 'as Graph has it' });
    expect(remaining).toEqual([3_000]);
  });
});

describe('readContent', () => {
  it.each([
    ['YWJj', Buffer.from('abc')],
    ['', Buffer.alloc(0)],
    [null, undefined],
    [undefined, undefined],
  ])('gives the bytes of %j', async (contentBytes, expected) => {
    const { item, paths } = itemOf(async () => ({ id: 'a/b', contentBytes }));

    expect(await item.readContent('a/b')).toEqual(expected);
    expect(paths).toEqual([`${LIST}/a%2Fb`]);
  });
});

describe('locationOf', () => {
  const OUTLOOK = "https://outlook.office365.com/api/gv1.0/users('oid@tid')/messages('AAMk=')";

  it.each([
    ['a message', MESSAGE, `${OUTLOOK}/AttachmentSessions('s')?authtoken=secret`, `${OUTLOOK}/Attachments('AAMk-_=')`],
    ['other capitals', MESSAGE, `${OUTLOOK}/attachmentsessions('s')?authtoken=x`, `${OUTLOOK}/Attachments('AAMk-_=')`],
    [
      'a message without a session',
      MESSAGE,
      undefined,
      `${ORIGIN}/v1.0/users/adele%40contoso.example/messages/AAMk%3D/Attachments('AAMk-_=')`,
    ],
    ['a task', TASK, `${ORIGIN}/v1.0/users/a/todo/lists/l/tasks/t/attachmentSessions/s`, undefined],
  ])('is written as the Location of an upload to %s', (_, target, uploadUrl, expected) => {
    const location = itemOf(async () => ({}), target).item.locationOf('AAMk-_=', uploadUrl);

    const ofTask = `${ORIGIN}/v1.0/users/adele%40contoso.example/todo/lists/l/tasks/t/attachments/AAMk-_%3D`;
    expect(location).toBe(expected ?? ofTask);
    expect(location).not.toContain('secret');
    expect(attachmentIdIn(location)).toBe('AAMk-_=');
  });

  it.each(["a'b", 'a/b', 'a+b=', 'ü', '%'])('can be read again: %s', (id) => {
    expect(attachmentIdIn(itemOf(async () => ({})).item.locationOf(id))).toBe(id);
  });
});

import type { AttachmentsApi, GraphAttachment } from '../../../shared/graph/attachmentsApi.ts';
import { attachmentIdIn, findAttachment } from '../../../shared/transfer/findAttachment.ts';

const CREATED_AT = '2026-11-24T12:00:00Z';

const SOUGHT = { attachment: { name: 'a.pdf', sizeBytes: 1000 }, createdAt: CREATED_AT };

/** The content of each attachment is its id, and of `?` Graph shows none. */
function itemWith(attachments: readonly GraphAttachment[]): Pick<AttachmentsApi, 'listAttachments' | 'readContent'> {
  return {
    listAttachments: async () => attachments,
    readContent: async (id) => (id === '?' ? undefined : Buffer.from(id)),
  };
}

function find(...attachments: readonly GraphAttachment[]) {
  return findAttachment(itemWith(attachments), SOUGHT);
}

function attachment(id: string, changes: Readonly<Record<string, unknown>> = {}): GraphAttachment {
  return { name: 'a.pdf', size: 1045, lastModifiedDateTime: '2026-11-24T12:00:05Z', ...changes, id };
}

describe('findAttachment', () => {
  it('finds the file, also where clocks differ a little', async () => {
    expect(await find(attachment('a'))).toMatchObject({ id: 'a' });
    expect(await find(attachment('a', { lastModifiedDateTime: '2026-11-24T11:58:00Z' }))).toMatchObject({ id: 'a' });
    expect(await find(attachment('a', { lastModifiedDateTime: undefined }))).toMatchObject({ id: 'a' });
  });

  it.each<[string, Record<string, unknown>]>([
    ['another name', { name: 'b.pdf' }],
    ['fewer bytes', { size: 999 }],
    ['no size', { size: null }],
    ['an earlier time', { lastModifiedDateTime: '2026-11-24T11:57:59Z' }],
  ])('passes over one with %s', async (_, changes) => {
    expect(await find(attachment('a', changes))).toBeUndefined();
  });

  it('takes the newest', async () => {
    const newest = attachment('b', { lastModifiedDateTime: '2026-11-24T12:00:07Z' });

    expect(await find(attachment('a'), newest, attachment('c'))).toMatchObject({ id: 'b' });
  });
});

describe('findAttachment by the bytes', () => {
  const findBytes = (bytes: string, ...ids: readonly string[]) =>
    findAttachment(itemWith(ids.map((id) => attachment(id))), SOUGHT, Buffer.from(bytes));

  it.each([
    ['a', 'finds the same bytes', ['b', 'a', 'c']],
    ['?', 'takes one of which Graph shows no bytes', ['?']],
    [undefined, 'passes over all others', ['b', 'c']],
    [undefined, 'passes over all where there is none', []],
  ])('%s: %s', async (id, _, ids) => {
    expect((await findBytes('a', ...ids))?.id).toBe(id);
  });

  it('fails if Graph does not show them now', async () => {
    const item = { ...itemWith([attachment('a')]), readContent: () => Promise.reject(new Error('504')) };

    await expect(findAttachment(item, SOUGHT, Buffer.from('a'))).rejects.toThrow('504');
  });
});

describe('findAttachment after a refusal', () => {
  const refusedSince = Date.parse('2026-11-24T12:00:05.400Z');
  const findSince = (lastModifiedDateTime: string) =>
    findAttachment(itemWith([attachment('a', { lastModifiedDateTime })]), { ...SOUGHT, refusedSince });

  it.each(['2026-11-24T12:00:05.399Z', '2026-11-24T12:00:04Z', '2026-11-24T11:59:00Z'])(
    'passes over one that was there before the file was sent: %s',
    async (moment) => {
      expect(await findSince(moment)).toBeUndefined();
    },
  );

  it.each(['2026-11-24T12:00:05.400Z', '2026-11-24T12:00:05Z', '2026-11-24T12:00:06Z', '2026-11-24T12:00:05.4000000Z'])(
    'finds one that has come since: %s',
    async (moment) => {
      expect(await findSince(moment)).toMatchObject({ id: 'a' });
    },
  );
});

describe('attachmentIdIn', () => {
  it.each([
    ["https://outlook.office.com/api/v2.0/Users('u')/Messages('m')/Attachments('AAMk%3D')", 'AAMk='],
    ["https://outlook.office.com/api/gv1.0/users('u')/messages('m')/attachments('a')/?x=('b')", 'a'],
    ['https://graph.microsoft.com/v1.0/users/u/todo/lists/l/tasks/t/attachments/AAMk=', 'AAMk='],
    ['', undefined],
    ["https://outlook.office.com/Attachments('%')", undefined],
  ])('reads %s', (location, id) => {
    expect(attachmentIdIn(location)).toBe(id);
  });
});

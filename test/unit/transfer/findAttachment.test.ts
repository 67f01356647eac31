import { attachmentIdIn, findAttachment } from '../../../shared/transfer/findAttachment.ts';
import type { GraphAttachment, GraphItem } from '../../../shared/transfer/graphItem.ts';

const CREATED_AT = '2026-11-24T12:00:00Z';

function find(...attachments: readonly GraphAttachment[]) {
  const item: Pick<GraphItem, 'listAttachments'> = { listAttachments: async () => attachments };
  return findAttachment(item, { attachment: { name: 'a.pdf', sizeBytes: 1000 }, createdAt: CREATED_AT });
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

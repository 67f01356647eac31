import { ADELE } from '../../local/emulators/graph/seed.ts';
import { errorOf, type GraphBench, startGraph } from './emulators.ts';
import { createDraft, findIn, get, IMMUTABLE, MARKER, mail, post, to, USER } from './mailbox.ts';
import { openUpload, putPiece } from './uploads.ts';

const FILE = Buffer.from('attachment');
const file = (members: Record<string, unknown> = {}) => ({
  '@odata.type': '#microsoft.graph.fileAttachment',
  name: 'a.txt',
  contentBytes: FILE.toString('base64'),
  ...members,
});

describe('the drafts of an emulated mailbox', () => {
  let bench: GraphBench;

  beforeAll(async () => {
    bench = await startGraph();
  });
  afterAll(() => bench.graph.close());
  afterEach(() => bench.graph.reset());

  test('are created with their files and shown as Graph shows them', async () => {
    const internetMessageId = '<1@contoso.example>';
    const members = { internetMessageId, importance: 'High', attachments: [file()], ccRecipients: null };

    const { status, json, headers } = await post(bench, '/messages', mail(members));

    expect(status).toBe(201);
    expect(headers['preference-applied']).toBe('IdType="ImmutableId"');
    expect(json).toMatchObject({
      isDraft: true,
      hasAttachments: true,
      internetMessageId,
      ccRecipients: [],
      subject: 'Plan',
    });
    expect(json).not.toHaveProperty('attachments');
    expect((await get(bench, `/messages/${json['id']}`)).json).toEqual(json);
    expect(bench.graph.drafts(ADELE.id)).toMatchObject([
      { immutableId: json['id'], to: ['megan@contoso.example'], attachments: [{ name: 'a.txt', size: FILE.length }] },
    ]);
  });

  test('go into the folder of the path, and are listed there with the selected members only', async () => {
    const folder = ADELE.items.mailFolder[0];
    const { json } = await post(bench, `/mailFolders/${folder}/messages`, mail());

    expect(json).toMatchObject({ isDraft: true, parentFolderId: folder });
    const list = await get(bench, `/mailFolders/${folder}/messages?$select=isDraft`);
    expect(list.json['value']).toEqual([{ '@odata.etag': expect.any(String), id: json['id'], isDraft: true }]);
    expect((await get(bench, '/mailFolders/drafts/messages')).json['value']).toEqual([]);
    expect((await get(bench, '/messages?$select=colour')).status).toBe(400);
  });

  test('take files in one call and by an upload session, under either id', async () => {
    const id = await createDraft(bench);
    const [draft] = bench.graph.drafts(ADELE.id);

    expect((await post(bench, `/messages/${id}/attachments`, file({ name: 'small' }))).status).toBe(201);
    const item = { '@odata.type': '#microsoft.graph.itemAttachment', name: 'item', item: { subject: 'x' } };
    expect((await post(bench, `/messages/${id}/attachments`, item)).status).toBe(201);
    const size = 2_097_152;
    const url = await openUpload(bench, { name: 'large', size }, `${USER}/messages/${draft?.id}`);
    await putPiece(bench, url, Buffer.alloc(size), 0, size);

    expect(bench.graph.drafts(ADELE.id)[0]?.attachments.map(({ name }) => name)).toEqual(['small', 'item', 'large']);
    const list = await get(bench, `/messages/${id}/attachments?$select=name`);
    expect(list.json['value']).toMatchObject([
      { name: 'small' },
      { '@odata.type': '#microsoft.graph.itemAttachment' },
      {},
    ]);
  });

  test('are found by message id and by an extended property, which only $expand shows', async () => {
    const property = { id: MARKER, value: "Fabrikam's app" };
    const internetMessageId = "<it's@contoso.example>";
    const id = await createDraft(bench, { internetMessageId, singleValueExtendedProperties: [property] });
    await createDraft(bench);
    const byMarker = (marker: string, value: string) =>
      `singleValueExtendedProperties/Any(ep: ep/id eq '${marker}' and ep/value eq '${value.replaceAll("'", "''")}')`;

    expect(await findIn(bench, 'drafts', "internetMessageId eq '<it''s@contoso.example>'")).toEqual([id]);
    expect(await findIn(bench, 'drafts', byMarker(MARKER, property.value.toUpperCase()))).toEqual([id]);
    expect(await findIn(bench, 'drafts', byMarker(MARKER.replace('Caller', 'caller'), property.value))).toEqual([]);
    expect(
      await findIn(bench, 'drafts', `${byMarker(MARKER, property.value)} and createdDateTime lt 2026-01-01T00:00:00Z`),
    ).toEqual([]);
    expect(await findIn(bench, 'drafts', `isDraft eq true and ${byMarker(MARKER, property.value)}`)).toEqual([id]);
    const expand = `$expand=${encodeURIComponent(`singleValueExtendedProperties($filter=id eq '${MARKER}')`)}`;
    expect((await get(bench, `/messages/${id}?${expand}`)).json['singleValueExtendedProperties']).toEqual([property]);
    expect((await get(bench, `/messages/${id}`)).json).not.toHaveProperty('singleValueExtendedProperties');
    expect((await get(bench, '/messages?$filter=contains(subject,%27x%27)')).status).toBe(400);
  });

  test('change by PATCH, without attachments', async () => {
    const id = await createDraft(bench);
    const patch = (body: unknown) => post(bench, `/messages/${id}`, body, IMMUTABLE, 'PATCH');

    expect((await patch({ toRecipients: to('alex@contoso.example') })).json).toMatchObject({
      toRecipients: to('alex@contoso.example'),
      subject: 'Plan',
    });
    expect((await patch({ attachments: [file()] })).status).toBe(400);
    bench.graph.changeMessage(ADELE.id, id, { subject: 'Changed' });
    expect((await get(bench, `/messages/${id}`)).json['subject']).toBe('Changed');
  });

  test('move to Deleted Items, or are removed for good', async () => {
    const id = await createDraft(bench);
    const [draft] = bench.graph.drafts(ADELE.id);
    const ordinary = `/messages/${draft?.id}`;

    expect((await bench.call('DELETE', `${USER}${ordinary}`)).status).toBe(204);
    expect((await get(bench, ordinary)).status).toBe(404);
    expect(bench.graph.drafts(ADELE.id)).toEqual([]);
    expect(bench.graph.messages(ADELE.id)).toMatchObject([{ immutableId: id, folder: 'deleteditems' }]);
    expect((await post(bench, `/messages/${id}/send`, '')).status).toBe(404);
    expect((await post(bench, `/messages/${id}/permanentDelete`, '')).status).toBe(204);
    expect(bench.graph.messages(ADELE.id)).toEqual([]);
    expect((await get(bench, `/messages/${id}`)).status).toBe(404);
  });

  test.each([
    ['an unknown member', { colour: 'red' }, 'RequestBodyRead'],
    ['a known member in another letter case', { Subject: 'x' }, 'RequestBodyRead'],
    ['saveToSentItems', { saveToSentItems: false }, 'RequestBodyRead'],
    ['a recipient that is a string', { toRecipients: ['a@b.example'] }, 'RequestBodyRead'],
    ['a bare address', { toRecipients: [{ address: 'a@b.example' }] }, 'RequestBodyRead'],
    ['another importance', { importance: 'HIGH' }, 'RequestBodyRead'],
    ['no headers', { internetMessageHeaders: [] }, 'InvalidInternetMessageHeaderCollection'],
    [
      'six headers',
      { internetMessageHeaders: Array(6).fill({ name: 'x-a', value: 'b' }) },
      'InvalidInternetMessageHeaderCollection',
    ],
    [
      'a header that is not of ours',
      { internetMessageHeaders: [{ name: 'To', value: 'b' }] },
      'InvalidInternetMessageHeader',
    ],
    [
      'an attachment whose type comes last',
      { attachments: [{ name: 'a', '@odata.type': '#microsoft.graph.fileAttachment' }] },
      'RequestBodyRead',
    ],
  ])('are refused with %s', async (_what, members, code) => {
    const response = await post(bench, '/messages', mail(members));

    expect([response.status, errorOf(response)['code']]).toEqual([400, code]);
    expect(bench.graph.messages(ADELE.id)).toEqual([]);
  });

  test('are refused above 4 MB', async () => {
    const body = { contentType: 'text', content: 'x'.repeat(4 * 1024 * 1024) };
    expect((await post(bench, '/messages', mail({ body }))).status).toBe(413);
  });

  test('need Mail.ReadWrite, and sending needs Mail.Send', async () => {
    const bearer = (...roles: string[]) => ({
      authorization: `Bearer ${bench.tokens.issue({ audience: bench.graph.url, lifetimeSeconds: 60, roles })}`,
    });
    const id = await createDraft(bench);
    const status = async (path: string, body: unknown, ...roles: string[]) =>
      (await post(bench, path, body, bearer(...roles))).status;

    expect(await status('/messages', mail(), 'Mail.Send')).toBe(403);
    expect((await get(bench, `/messages/${id}`, bearer('Mail.Send'))).status).toBe(403);
    expect((await get(bench, `/messages/${id}`, bearer('Mail.Read'))).status).toBe(200);
    expect(await status(`/messages/${id}/send`, '', 'Mail.ReadWrite')).toBe(403);
    expect(await status('/sendMail', { message: mail() }, 'Mail.ReadWrite')).toBe(403);
    expect(await status(`/messages/${id}/send`, '', 'Mail.Send')).toBe(202);
    expect(await status('/sendMail', { message: mail() }, 'Mail.Send')).toBe(202);
  });

  test('are made from MIME', async () => {
    const mime = [
      'From: Adele <adele@contoso.example>',
      'To: "Bowen, Megan" <megan@contoso.example>, alex@contoso.example',
      'Bcc: hidden@contoso.example',
      'Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=',
      'Message-ID: <mime@contoso.example>',
      'X-Custom: one',
      'Content-Type: multipart/mixed; boundary="b1"',
      '',
      '--b1',
      'Content-Type: multipart/alternative; boundary=b2',
      '',
      '--b2',
      'Content-Type: text/plain; charset=utf-8',
      '',
      'plain',
      '--b2',
      'Content-Type: text/html; charset=iso-8859-1',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      '<p>Gr=FC=',
      'n</p>',
      '--b2--',
      '--b1',
      'Content-Type: application/pdf; name="plan.pdf"',
      'Content-Transfer-Encoding: base64',
      'Content-Disposition: attachment; filename="plan.pdf"',
      '',
      FILE.toString('base64'),
      '--b1--',
      '',
    ].join('\r\n');
    const send = (text: string) => post(bench, '/messages', text, { 'content-type': 'text/plain' });

    const { status, json } = await send(Buffer.from(mime).toString('base64'));

    expect(status).toBe(201);
    expect(json).toMatchObject({
      subject: 'Grüße',
      internetMessageId: '<mime@contoso.example>',
      body: { contentType: 'html', content: '<p>Grün</p>' },
      toRecipients: [
        { emailAddress: { name: 'Bowen, Megan', address: 'megan@contoso.example' } },
        ...to('alex@contoso.example'),
      ],
    });
    expect(bench.graph.drafts(ADELE.id)).toMatchObject([
      {
        bcc: ['hidden@contoso.example'],
        internetMessageHeaders: [{ name: 'x-custom', value: 'one' }],
        attachments: [{ name: 'plan.pdf', contentType: 'application/pdf', size: FILE.length }],
      },
    ]);
    expect(errorOf(await send('not base64!'))['code']).toBe('ErrorMimeContentInvalidBase64String');
  });
});

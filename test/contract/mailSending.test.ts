import { ADELE } from '../../local/emulators/graph/seed.ts';
import { errorOf, type GraphBench, startGraph } from './emulators.ts';
import { createDraft, findIn, get, MARKER, mail, post, to, USER } from './mailbox.ts';

const OWN_ID = '<own@contoso.example>';
const BY_OWN_ID = `internetMessageId eq '${OWN_ID}'`;

describe('sending from an emulated mailbox', () => {
  let bench: GraphBench;

  beforeAll(async () => {
    bench = await startGraph();
  });
  afterAll(() => bench.graph.close());
  afterEach(() => bench.graph.reset());

  const send = (id: string) => bench.call('POST', `${USER}/messages/${id}/send`);
  const isDraft = async (id: string) => {
    const { status, json } = await get(bench, `/messages/${id}?$select=isDraft`);
    return status === 200 ? json['isDraft'] : status;
  };

  test('moves a draft to Sent Items under the same immutable id and a new ordinary one', async () => {
    const id = await createDraft(bench, { internetMessageId: OWN_ID });
    const [draft] = bench.graph.drafts(ADELE.id);

    const { status, text, headers } = await send(id);

    expect([status, text, headers['content-length'], headers['retry-after']]).toEqual([202, '', '0', undefined]);
    expect(bench.graph.drafts(ADELE.id)).toEqual([]);
    expect(await findIn(bench, 'sentitems', BY_OWN_ID)).toEqual([id]);
    expect((await get(bench, `/messages/${id}`)).json).toMatchObject({
      isDraft: false,
      internetMessageId: OWN_ID,
      conversationId: draft?.conversationId,
      parentFolderId: 'AAMkAGfolder-sentitems=',
    });
    expect(await isDraft(String(draft?.id))).toBe(404);
    expect(await isDraft(String((await get(bench, `/messages/${id}`, {})).json['id']))).toBe(false);
    expect((await send(id)).status).toBe(404);
    expect(bench.graph.sentMails(ADELE.id)).toMatchObject([
      {
        immutableId: id,
        internetMessageId: OWN_ID,
        subject: 'Plan',
        from: ADELE.userPrincipalName,
        to: ['megan@contoso.example'],
        body: { content: 'Hello' },
        attachments: [],
        savedToSentItems: true,
        timesDelivered: 1,
      },
    ]);
  });

  test.each([
    ['camelCase', { message: mail(), saveToSentItems: true }, true],
    ['PascalCase', { Message: mail(), SaveToSentItems: false }, false],
    ['a string', { message: mail(), saveToSentItems: 'false' }, false],
    ['null', { message: mail(), saveToSentItems: null }, true],
  ])('takes sendMail with %s', async (_what, body, isSaved) => {
    const { status, text } = await post(bench, '/sendMail', body);

    expect([status, text]).toEqual([202, '']);
    expect(bench.graph.sentMails(ADELE.id)).toMatchObject([{ savedToSentItems: isSaved, timesDelivered: 1 }]);
    expect(bench.graph.messages(ADELE.id)).toHaveLength(isSaved ? 1 : 0);
  });

  test('delivers the files of sendMail, and finds the copy by an extended property', async () => {
    const bytes = Buffer.from('attachment');
    const attachments = [
      { '@odata.type': '#microsoft.graph.fileAttachment', name: 'a.txt', contentBytes: bytes.toString('base64') },
    ];
    const singleValueExtendedProperties = [{ id: MARKER, value: 'app' }];

    await post(bench, '/sendMail', { message: mail({ attachments, singleValueExtendedProperties }) });

    const [sent] = bench.graph.sentMails(ADELE.userPrincipalName);
    expect(sent?.attachments).toMatchObject([{ name: 'a.txt', size: bytes.length, bytes }]);
    const filter = `singleValueExtendedProperties/Any(ep: ep/id eq '${MARKER}' and ep/value eq 'app')`;
    expect(await findIn(bench, 'sentitems', filter)).toEqual([sent?.immutableId]);
  });

  test.each([
    ['a bare message', mail(), 'RequestBodyRead'],
    ['an unknown parameter', { message: mail(), colour: 'red' }, 'RequestBodyRead'],
    ['no message', { saveToSentItems: true }, 'ErrorInvalidParameter'],
    ['saveToSentItems inside the message', { message: mail({ saveToSentItems: true }) }, 'RequestBodyRead'],
    ['no recipient', { message: mail({ toRecipients: [] }) }, 'ErrorInvalidRecipients'],
    ['an invalid recipient', { message: mail({ ccRecipients: to('nobody') }) }, 'ErrorInvalidRecipients'],
    [
      '501 recipients',
      { message: mail({ bccRecipients: to(...Array(500).fill('a@b.example')) }) },
      'ErrorInvalidRecipients',
    ],
  ])('refuses sendMail with %s', async (_what, body, code) => {
    const response = await post(bench, '/sendMail', body);

    expect([response.status, errorOf(response)['code']]).toEqual([400, code]);
    expect(bench.graph.sentMails(ADELE.id)).toEqual([]);
  });

  test('refuses the address of another mailbox as sender', async () => {
    const [own, other] = [ADELE.userPrincipalName, 'megan@contoso.example'].map((address) => to(address)[0]);
    const denied = await send(await createDraft(bench, { from: other }));

    expect([denied.status, errorOf(denied)['code']]).toEqual([403, 'ErrorSendAsDenied']);
    expect((await send(await createDraft(bench, { from: own, sender: own }))).status).toBe(202);
  });

  test.each(['status503AfterCommit', 'status504AfterCommit', 'status429AfterCommit', 'status404AfterCommit'] as const)(
    'is done although the response is that of %s',
    async (error) => {
      const id = await createDraft(bench);
      bench.graph.play({ error, on: 'send' });

      expect((await send(id)).status).toBe(Number(/\d+/.exec(error)?.[0]));

      expect(bench.graph.sentMails(ADELE.id)).toHaveLength(1);
      expect(await isDraft(id)).toBe(false);
    },
  );

  test('is done although the response is lost, and not done if the request is', async () => {
    const id = await createDraft(bench);
    bench.graph.play({ error: 'resetBeforeHeaders', on: 'send' });
    await expect(send(id)).rejects.toThrow();
    expect(bench.graph.sentMails(ADELE.id)).toEqual([]);
    bench.graph.play({ error: 'status404', on: 'send' });
    expect((await send(id)).status).toBe(404);
    expect(await isDraft(id)).toBe(true);

    bench.graph.play({ error: 'resetAfterCommit', on: 'send' });
    await expect(send(id)).rejects.toThrow();
    expect(bench.graph.sentMails(ADELE.id)).toHaveLength(1);
  });

  test('leaves isDraft true for some reads, in which a second send delivers again and a deletion loses the mail', async () => {
    const id = await createDraft(bench);
    bench.graph.play({ error: 'draftLag', reads: 2 });

    expect((await send(id)).status).toBe(202);
    expect((await send(id)).status).toBe(202);

    expect([await isDraft(id), await isDraft(id), await isDraft(id)]).toEqual([true, true, false]);
    expect(bench.graph.sentMails(ADELE.id)).toMatchObject([{ timesDelivered: 2 }]);
    bench.graph.settings.mail = { ...bench.graph.settings.mail, draftLagMs: 1_000 };
    const early = await createDraft(bench);
    await send(early);
    expect(await isDraft(early)).toBe(true);
    await post(bench, `/messages/${early}/permanentDelete`, '');
    expect(bench.graph.sentMails(ADELE.id)).toHaveLength(1);
    const late = await createDraft(bench);
    await send(late);
    bench.clock.ms += 1_000;
    expect(await isDraft(late)).toBe(false);
  });

  test('shows the copy in Sent Items after some lists', async () => {
    const id = await createDraft(bench, { internetMessageId: OWN_ID });
    bench.graph.play({ error: 'sentItemsLag', reads: 2 });
    await send(id);

    expect(await findIn(bench, 'sentitems', BY_OWN_ID)).toEqual([]);
    expect(await findIn(bench, 'sentitems', BY_OWN_ID)).toEqual([]);
    expect(await findIn(bench, 'sentitems', BY_OWN_ID)).toEqual([id]);
  });

  test('gives the copy a new immutable id', async () => {
    const id = await createDraft(bench, { internetMessageId: OWN_ID });
    bench.graph.play({ error: 'newId' });
    await send(id);

    expect(await isDraft(id)).toBe(404);
    const [copy] = await findIn(bench, 'sentitems', BY_OWN_ID);
    expect(copy).not.toBe(id);
    expect(await isDraft(String(copy))).toBe(false);
  });

  test('responds with Retry-After, and removes a message that asks for it', async () => {
    const singleValueExtendedProperties = [{ id: 'Boolean 0x0E01', value: 'true' }];
    const id = await createDraft(bench, { singleValueExtendedProperties });
    bench.graph.play({ error: 'retryAfter' });

    expect((await send(id)).headers['retry-after']).toBe('1');

    expect(await isDraft(id)).toBe(404);
    expect(bench.graph.sentMails(ADELE.id)).toMatchObject([{ savedToSentItems: false }]);
  });

  test('accepts a MIME message above the limit, and sends nothing', async () => {
    bench.graph.settings.mail = { ...bench.graph.settings.mail, maxMimeCharacters: 100 };
    const mime = (text: string) => Buffer.from(`To: megan@contoso.example\r\n\r\n${text}`).toString('base64');
    const text = { 'content-type': 'text/plain' };

    expect((await post(bench, '/sendMail', mime('Hello'), text)).status).toBe(202);
    expect((await post(bench, '/sendMail', mime('x'.repeat(100)), text)).status).toBe(200);

    expect(bench.graph.sentMails(ADELE.id)).toMatchObject([{ body: { content: 'Hello' } }]);
  });
});

import { createHash, randomBytes } from 'node:crypto';
import { createCertificate } from '../../local/emulators/common/certificate.ts';
import { isObject } from '../../shared/common/isObject.ts';
import { expectGraphError, postJson, type Site, startSite } from '../support/site.ts';
import { type SourceServer, startSourceServer } from '../support/sourceServer.ts';

const ADELE = 'adele@contoso.example';

let site: Site;
let sources: SourceServer;
let sendMail: string;
let messages: string;

beforeAll(async () => {
  const certificate = await createCertificate();
  sources = await startSourceServer(certificate);
  site = await startSite({
    storage: true,
    certificate,
    settings: {
      AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
      SEND_SETTLE_SECONDS: '2',
      POLICY: JSON.stringify({
        callers: [
          {
            name: 'mailer',
            functionKey: true,
            kinds: ['message'],
            mailboxes: [ADELE],
            operations: ['sendMail', 'attach'],
            recipients: ['*@contoso.example', 'partner@fabrikam.example'],
            sources: [`${sources.origin}/`],
          },
        ],
      }),
    },
  });
  sendMail = `${site.api}/v1.0/users/${ADELE}/sendMail`;
  messages = `${site.api}/v1.0/users/${ADELE}/messages`;
});
afterAll(async () => {
  await site.close();
  await sources.close();
});
beforeEach(() => site.graph.reset());

function messageOf(subject: string, members: Readonly<Record<string, unknown>> = {}) {
  return {
    subject,
    body: { contentType: 'text', content: 'Hello' },
    toRecipients: [{ emailAddress: { address: 'megan@contoso.example' } }],
    ...members,
  };
}

function fileOf(name: string, sizeBytes: number) {
  const bytes = randomBytes(sizeBytes);
  return { name, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function inJson({ name, bytes }: ReturnType<typeof fileOf>) {
  return { '@odata.type': '#microsoft.graph.fileAttachment', name, contentBytes: bytes.toString('base64') };
}

async function messageIn(response: Response): Promise<{ readonly id: string; readonly isDraft?: boolean }> {
  const message: unknown = await response.json();
  if (!isObject(message) || typeof message['id'] !== 'string') throw new Error(`No message: ${response.status}`);
  return { ...message, id: message['id'] };
}

function sent() {
  return site.graph.sentMails(ADELE);
}

describe('sendMail', () => {
  test.each<[string, number[]]>([
    ['without a file', []],
    ['with one of 1 kB', [1_000]],
    ['with one of 2.9 MB', [2_900_000]],
    ['with five of 1 MB', [1_000_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000]],
    ['with one of 12 MB', [12_000_000]],
    ['with three of mixed sizes', [10, 4_000_000, 1_000]],
  ])('sends a mail %s once, with all files in order', async (_, sizes) => {
    const files = sizes.map((size, index) => fileOf(`file ${index}.bin`, size));

    const response = await postJson(sendMail, { message: messageOf('A mail', { attachments: files.map(inJson) }) });

    expect([response.status, await response.text(), response.headers.get('location')]).toEqual([202, '', null]);
    expect(sent()).toEqual([
      expect.objectContaining({
        subject: 'A mail',
        to: ['megan@contoso.example'],
        savedToSentItems: true,
        timesDelivered: 1,
        attachments: files.map(({ name, sha256 }) => expect.objectContaining({ name, sha256 })),
      }),
    ]);
    expect(site.graph.drafts(ADELE)).toEqual([]);
  });

  test('takes a file by its URL', async () => {
    const file = fileOf('report.pdf', 12_000_000);
    sources.put('/report.pdf', { bytes: file.bytes, contentType: 'application/pdf' });
    const attachment = {
      '@odata.type': '#microsoft.graph.fileAttachment',
      name: file.name,
      sourceUrl: `${sources.origin}/report.pdf`,
    };

    const response = await postJson(sendMail, { message: messageOf('By URL', { attachments: [attachment] }) });

    expect(response.status).toBe(202);
    expect(sent()[0]?.attachments).toEqual([expect.objectContaining({ name: file.name, sha256: file.sha256 })]);
  });

  test('returns the ids of the mail if the caller prefers a representation', async () => {
    const response = await postJson(sendMail, { message: messageOf('Ids') }, { prefer: 'return=representation' });

    const [mail] = sent();
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({
      id: mail?.immutableId,
      internetMessageId: mail?.internetMessageId,
      conversationId: mail?.conversationId,
    });
  });

  test('sends MIME after it has checked the recipients that Graph has read', async () => {
    const mime = (to: string) =>
      Buffer.from(`To: ${to}\r\nSubject: From MIME\r\nMIME-Version: 1.0\r\n\r\nHello`).toString('base64');
    const post = (to: string) =>
      fetch(sendMail, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: mime(to) });

    expect((await post('megan@contoso.example')).status).toBe(202);
    expect(sent()).toEqual([expect.objectContaining({ subject: 'From MIME', to: ['megan@contoso.example'] })]);
    await expectGraphError(await post('stranger@elsewhere.example'), 403, 'CallerNotAllowed');
    expect([sent().length, site.graph.drafts(ADELE)]).toEqual([1, []]);
  });

  test('leaves no copy if none is wanted: in one request without a draft, or by deleting the copy', async () => {
    const small = await postJson(sendMail, { message: messageOf('Small'), saveToSentItems: 'false' });

    expect(small.status).toBe(202);
    expect(sent()).toEqual([expect.objectContaining({ subject: 'Small', savedToSentItems: false })]);
    expect(site.graph.requests.map(({ path }) => path).filter((path) => path.endsWith('/messages'))).toEqual([]);
  });

  test.each<[string, object, string, string]>([
    [
      'a recipient that the policy does not allow',
      { bccRecipients: [{ emailAddress: { address: 'a@elsewhere.example' } }] },
      'CallerNotAllowed',
      '/message/bccRecipients/0/emailAddress/address',
    ],
    [
      'a recipient of a subdomain',
      { ccRecipients: [{ emailAddress: { address: 'a@sub.contoso.example' } }] },
      'CallerNotAllowed',
      '/message/ccRecipients/0/emailAddress/address',
    ],
    [
      'two addresses in one',
      { ccRecipients: [{ emailAddress: { address: 'a@contoso.example,b@elsewhere.example' } }] },
      'InvalidMessage',
      '/message/ccRecipients/0/emailAddress/address',
    ],
    [
      'another sender',
      { from: { emailAddress: { address: 'ceo@elsewhere.example' } } },
      'CallerNotAllowed',
      '/message/from/emailAddress/address',
    ],
    ['no recipient', { toRecipients: [] }, 'InvalidMessage', '/message/toRecipients'],
  ])('rejects %s before anything is created', async (_, members, code, target) => {
    const response = await postJson(sendMail, { message: messageOf('Rejected', { ...members }) });

    const error = await expectGraphError(response, code === 'InvalidMessage' ? 400 : 403, code);
    expect(error).toMatchObject({ target });
    expect(JSON.stringify(error)).not.toContain('elsewhere');
    expect(site.graph.requests).toEqual([]);
  });

  test('relays what Graph rejects, and leaves no draft', async () => {
    const response = await postJson(sendMail, { message: messageOf('Unknown', { nonsense: true }) });

    await expectGraphError(response, 400, 'RequestBodyRead');
    expect([sent(), site.graph.drafts(ADELE)]).toEqual([[], []]);
  });
});

describe('an uncertain response to /send', () => {
  test.each([
    'status503AfterCommit',
    'status500AfterCommit',
    'status504AfterCommit',
    'status429AfterCommit',
    'status404AfterCommit',
    'resetAfterCommit',
    'status503',
    'status429',
    'resetBeforeHeaders',
  ] as const)('never sends twice: %s', async (error) => {
    site.graph.play({ error, on: 'send' });

    const response = await postJson(
      sendMail,
      { message: messageOf('Once') },
      { 'idempotency-key': crypto.randomUUID() },
    );

    expect([response.status, sent().map(({ timesDelivered }) => timesDelivered)]).toEqual([202, [1]]);
  });

  test('is settled although isDraft and Sent Items lag and the id changes', async () => {
    const { mail } = site.graph.settings;
    Object.assign(site.graph.settings, {
      mail: { ...mail, draftLagReads: 1, sentItemsLagReads: 1, immutableIdSurvivesSend: false },
    });
    site.graph.play({ error: 'status503AfterCommit', on: 'send' });

    const response = await postJson(sendMail, { message: messageOf('Once') });

    expect([response.status, sent().map(({ timesDelivered }) => timesDelivered)]).toEqual([202, [1]]);
  });

  test('is relayed once the mail is known to be unsent, and the draft is deleted', async () => {
    site.graph.play({ error: 'status503', on: 'send', times: 2 });

    const response = await postJson(sendMail, { message: messageOf('Never') });

    expect([response.status, sent(), site.graph.drafts(ADELE)]).toEqual([503, [], []]);
  });
});

describe('the same request again with its key', () => {
  test('gets the same response, and one mail is sent', async () => {
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const mail = { message: messageOf('Once') };

    const [first, second] = await Promise.all([postJson(sendMail, mail, headers), postJson(sendMail, mail, headers)]);
    const third = await postJson(sendMail, mail, headers);
    const other = await postJson(sendMail, { message: messageOf('Other') }, headers);

    expect([first.status, second.status, third.status, other.status]).toEqual([202, 202, 202, 422]);
    expect(sent()).toHaveLength(1);
  });
});

describe('a draft', () => {
  test('is created with large files, read, sent and then no draft any more', async () => {
    const file = fileOf('large.bin', 5_000_000);
    const created = await postJson(messages, messageOf('A draft', { attachments: [inJson(file)] }));
    const draft = await messageIn(created);
    const url = `${messages}/${encodeURIComponent(draft.id)}`;

    expect([created.status, draft.isDraft, JSON.stringify(draft)]).toEqual([
      201,
      true,
      expect.not.stringContaining('GraphUploadSessionProxyCaller'),
    ]);
    expect(await (await fetch(url)).json()).toMatchObject({ isDraft: true, subject: 'A draft', hasAttachments: true });
    expect((await fetch(`${url}/send`, { method: 'POST' })).status).toBe(202);
    expect(sent()).toEqual([
      expect.objectContaining({ attachments: [expect.objectContaining({ sha256: file.sha256 })] }),
    ]);
    await expectGraphError(await fetch(`${url}/send`, { method: 'POST' }), 409, 'MessageNotDraft');
    await expectGraphError(await fetch(url, { method: 'DELETE' }), 409, 'MessageNotDraft');
    expect(sent()).toHaveLength(1);
  });

  test('is deleted', async () => {
    const { id } = await messageIn(await postJson(messages, messageOf('A draft')));

    expect((await fetch(`${messages}/${encodeURIComponent(id)}`, { method: 'DELETE' })).status).toBe(204);
    expect(site.graph.drafts(ADELE)).toEqual([]);
  });

  test('that was changed behind the proxy is not sent to a recipient whom the policy does not allow', async () => {
    const { id } = await messageIn(await postJson(messages, messageOf('A draft')));
    site.graph.changeMessage(ADELE, id, {
      toRecipients: [{ emailAddress: { address: 'stranger@elsewhere.example' } }],
    });

    const response = await fetch(`${messages}/${encodeURIComponent(id)}/send`, { method: 'POST' });

    await expectGraphError(response, 403, 'CallerNotAllowed');
    expect(sent()).toEqual([]);
  });

  test.each(['GET', 'DELETE', 'POST'])('of a person is closed to %s', async (method) => {
    const id = site.graph.addMessage(ADELE, messageOf('Private'));
    const url = `${messages}/${encodeURIComponent(id)}`;

    const response = await fetch(method === 'POST' ? `${url}/send` : url, { method });

    await expectGraphError(response, 403, 'MessageNotYours');
    expect([sent(), site.graph.drafts(ADELE).length]).toEqual([[], 1]);
  });
});

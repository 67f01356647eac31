import fc from 'fast-check';
import { ServiceError } from '../../../shared/errors.ts';
import { MARKER_ID } from '../../../shared/mail/draftMarker.ts';
import { type MessageLimits, readDraft, readSendMail } from '../../../shared/mail/readMessage.ts';
import { createJsonMemory } from '../../../shared/sources/jsonMemory.ts';
import { runs } from '../../support/runs.ts';

const LIMITS: MessageLimits = {
  maxJsonAttachmentBytes: 1_000_000,
  maxFileBytes: 900_000,
  maxMessageBytes: 950_000,
};
const FILE = Buffer.from('an attached file');
const TO = [{ emailAddress: { address: 'megan@contoso.example' } }];

/** The body in chunks of a size. */
function bodyOf(content: unknown, chunkBytes = 65_536) {
  const bytes = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  let offset = 0;
  return {
    async read(): Promise<Buffer | undefined> {
      const chunk = bytes.subarray(offset, offset + chunkBytes);
      offset += chunk.length;
      return chunk.length === 0 ? undefined : chunk;
    },
  };
}

const signal = new AbortController().signal;
const sendMail = (content: unknown, limits = LIMITS, chunkBytes?: number) =>
  readSendMail(bodyOf(content, chunkBytes), limits, createJsonMemory().open(), signal);
const draft = (content: unknown, limits = LIMITS) =>
  readDraft(bodyOf(content), limits, createJsonMemory().open(), signal);

async function errorOf(reading: Promise<unknown>): Promise<ServiceError> {
  const error = await reading.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ServiceError) return error;
  throw new Error(`No ServiceError: ${String(error)}`);
}

async function detailsOf(reading: Promise<unknown>): Promise<string[]> {
  const { code, details } = await errorOf(reading);
  expect(code).toBe('InvalidMessage');
  return details.map((detail) => `${detail.code} ${detail.target}`);
}

function fileAttachment(members: object = {}): object {
  const contentBytes = FILE.toString('base64');
  return { '@odata.type': '#microsoft.graph.fileAttachment', name: 'a.txt', contentBytes, ...members };
}

describe('readSendMail', () => {
  it.each<[string, unknown, boolean]>([
    [
      'kiota',
      { Message: { subject: 'Hi', toRecipients: TO, attachments: [fileAttachment()] }, SaveToSentItems: false },
      false,
    ],
    [
      'PowerShell',
      { message: { subject: 'Hi', toRecipients: TO, attachments: [fileAttachment()] }, saveToSentItems: 'false' },
      false,
    ],
    [
      'scripts',
      { message: { subject: 'Hi', toRecipients: TO, attachments: [fileAttachment()] }, saveToSentItems: 'True' },
      true,
    ],
    [
      'the Outlook API before Graph',
      {
        Message: {
          Subject: 'Hi',
          ToRecipients: [{ EmailAddress: { Address: 'megan@contoso.example' } }],
          Attachments: [
            {
              '@odata.type': '#Microsoft.OutlookServices.FileAttachment',
              Name: 'a.txt',
              ContentBytes: FILE.toString('base64'),
            },
          ],
        },
        SaveToSentItems: 'true',
      },
      true,
    ],
    [
      'Laravel',
      {
        message: {
          subject: 'Hi',
          toRecipients: TO,
          ccRecipients: [],
          bccRecipients: [],
          replyTo: [],
          sender: { emailAddress: { address: 'adele@contoso.example' } },
          attachments: [fileAttachment({ contentId: 'a.txt', isInline: false })],
        },
        saveToSentItems: false,
      },
      false,
    ],
    [
      'a relay with nulls',
      {
        message: {
          subject: 'Hi',
          body: null,
          from: null,
          toRecipients: [{ emailAddress: { name: null, address: 'megan@contoso.example' } }],
          internetMessageHeaders: [],
          attachments: [fileAttachment({ contentId: null, contentType: null })],
        },
        saveToSentItems: null,
      },
      true,
    ],
    ['a bare message', { subject: 'Hi', toRecipients: TO, attachments: [fileAttachment()] }, true],
    [
      'a type in last place, without #, in another letter case',
      {
        message: {
          '@odata.type': 'microsoft.graph.message',
          subject: 'Hi',
          toRecipients: TO,
          attachments: [
            { name: 'a.txt', contentBytes: FILE.toString('base64'), '@OData.Type': 'microsoft.graph.FILEATTACHMENT' },
          ],
        },
      },
      true,
    ],
  ])('reads the body of %s', async (_, body, saveToSentItems) => {
    const read = await sendMail(body);

    expect(read.saveToSentItems).toBe(saveToSentItems);
    expect(read.message.members).toMatchObject({
      subject: 'Hi',
      toRecipients: [{ emailAddress: { address: 'megan@contoso.example' } }],
    });
    expect(Object.keys(read.message.members).filter((name) => name.includes('@') || name === 'attachments')).toEqual(
      [],
    );
    expect(Object.values(read.message.members)).not.toContain(null);
    expect(read.message.members).not.toHaveProperty('internetMessageHeaders');
    expect(read.message.recipients.map(({ address }) => address)).toEqual(['megan@contoso.example']);
    const [attachment] = read.message.attachments;
    if (attachment?.kind !== 'file' || attachment.content.kind !== 'bytes') throw new Error('No file.');
    expect(attachment.file).toMatchObject({ name: 'a.txt', sizeBytes: FILE.length });
    expect(Buffer.concat(attachment.content.chunks)).toEqual(FILE);
  });

  it('gives recipients and senders with their places', async () => {
    const recipient = (address: string) => ({ emailAddress: { address } });
    const message = {
      toRecipients: [recipient('a@b.example'), recipient('b@b.example')],
      ccRecipients: [recipient('c@b.example')],
      bccRecipients: [recipient('d@b.example')],
      replyTo: [recipient('e@b.example')],
      from: recipient('f@b.example'),
      sender: recipient('g@b.example'),
    };
    const { message: read } = await sendMail({ Message: message });

    expect(read.recipients).toEqual([
      { address: 'a@b.example', pointer: '/Message/toRecipients/0/emailAddress/address' },
      { address: 'b@b.example', pointer: '/Message/toRecipients/1/emailAddress/address' },
      { address: 'c@b.example', pointer: '/Message/ccRecipients/0/emailAddress/address' },
      { address: 'd@b.example', pointer: '/Message/bccRecipients/0/emailAddress/address' },
    ]);
    expect(read.senders.map(({ address }) => address)).toEqual(['f@b.example', 'g@b.example']);
  });

  it('writes values of enumerations as Graph compares them, and drops what Exchange sets', async () => {
    const { message } = await sendMail({
      message: {
        id: 'AAMk=',
        isDraft: true,
        importance: 'High',
        body: { contentType: 'HTML', content: '' },
        toRecipients: TO,
      },
    });

    expect(message.members).toEqual({
      importance: 'high',
      body: { contentType: 'html', content: '' },
      toRecipients: TO,
    });
  });

  it('leaves unknown members to Graph, and takes a letter of another script for the letter that it folds to', async () => {
    const { message } = await sendMail({
      message: { 'toRecipient\u017f': TO, mentions: [{ ID: null }], sensitivity: 'x' },
    });

    expect(message.members).toEqual({ toRecipients: TO, mentions: [{ ID: null }], sensitivity: 'x' });
    expect(message.recipients).toHaveLength(1);
  });

  it('passes items and references on, with each type first', async () => {
    const item = {
      Subject: 'inner',
      '@odata.type': 'microsoft.graph.message',
      Attachments: [{ ContentBytes: 'AAAA' }],
    };
    const { message } = await sendMail({
      toRecipients: TO,
      attachments: [
        { Name: 'mail', item, '@odata.type': '#microsoft.graph.itemAttachment', size: 1 },
        {
          '@odata.type': '#microsoft.graph.referenceAttachment',
          name: 'link',
          sourceUrl: 'https://a.example',
          providerType: 'x',
        },
      ],
    });

    expect(message.attachments.map((it) => it.kind === 'other' && JSON.stringify(it.json))).toEqual([
      '{"@odata.type":"#microsoft.graph.itemAttachment","name":"mail","item":{"@odata.type":"microsoft.graph.message","Subject":"inner","Attachments":[{"ContentBytes":"AAAA"}]}}',
      '{"@odata.type":"#microsoft.graph.referenceAttachment","name":"link","sourceUrl":"https://a.example","providerType":"x"}',
    ]);
  });

  it('takes a sourceUrl, and the content object of Logic Apps', async () => {
    const { message } = await sendMail({
      toRecipients: TO,
      attachments: [
        { name: 'a', sourceUrl: 'https://files.contoso.example/a', contentType: 'text/plain' },
        { name: 'b', contentBytes: { '$content-type': 'text/csv', $content: FILE.toString('base64') } },
      ],
    });

    expect(message.attachments).toMatchObject([
      { file: { name: 'a', contentType: 'text/plain' }, content: { kind: 'address' } },
      { file: { name: 'b', contentType: 'text/csv', sizeBytes: FILE.length }, content: { kind: 'bytes' } },
    ]);
  });

  it.each<[string, string]>([
    ['{"message":{"toRecipients":[],"toRecipients":[]}}', 'DuplicateMember /message/toRecipients'],
    ['{"message":{"toRecipients":[],"ToRecipients":[]}}', 'DuplicateMember /message/ToRecipients'],
    ['{"message":{"toRecipients":[],"to\\u0052ecipients":[]}}', 'DuplicateMember /message/toRecipients'],
    ['{"message":{"bccRecipients":[],"bccRecipient\u017f":[]}}', 'DuplicateMember /message/bccRecipient\u017f'],
    ['{"message":{},"Message":{}}', 'DuplicateMember /Message'],
    [
      '{"message":{"from":{"emailAddress":{"address":"a@b.c","Address":"d@e.f"}}}}',
      'DuplicateMember /message/from/emailAddress/Address',
    ],
    [
      '{"message":{"toRecipients":[{},{"emailAddress":{},"emailaddress":{}}]}}',
      'DuplicateMember /message/toRecipients/1/emailaddress',
    ],
    ['{"attachments":[{"contentBytes":"AAAA","ContentBytes":"BBBB"}]}', 'DuplicateMember /attachments/0/ContentBytes'],
    ['{"unknown":{"a/b":1,"A/B":2}}', 'DuplicateMember /unknown/A~1B'],
  ])('rejects a member that occurs twice: %s', async (body, detail) => {
    expect(await detailsOf(sendMail(body))).toContain(detail);
  });

  it.each<[unknown, readonly string[]]>([
    [{ message: { subject: 'Hi' } }, ['Required /message/toRecipients']],
    [{ message: null }, ['WrongType /message']],
    [[], ['WrongType ']],
    [
      { message: { toRecipients: ['megan@contoso.example'] } },
      ['WrongType /message/toRecipients/0', 'Required /message/toRecipients'],
    ],
    [
      { message: { toRecipients: [{ address: 'megan@contoso.example' }] } },
      [
        'Required /message/toRecipients/0/emailAddress',
        'UnknownMember /message/toRecipients/0/address',
        'Required /message/toRecipients',
      ],
    ],
    [{ message: { toRecipients: TO }, subject: 'Hi' }, ['UnknownMember /subject']],
    [{ message: { toRecipients: TO }, saveToSentItems: 'no' }, ['WrongType /saveToSentItems']],
    [
      { message: { toRecipients: TO, importance: 'urgent', body: { contentType: 'rtf' } } },
      ['ValueNotAllowed /message/body/contentType', 'ValueNotAllowed /message/importance'],
    ],
    [
      { toRecipients: TO, internetMessageHeaders: Array.from({ length: 6 }, () => ({ name: 'x-a', value: '' })) },
      ['ValueNotAllowed /internetMessageHeaders'],
    ],
    [
      { toRecipients: TO, singleValueExtendedProperties: [{ id: MARKER_ID.toUpperCase(), value: 'other' }] },
      ['ValueNotAllowed /singleValueExtendedProperties/0/id'],
    ],
    [{ toRecipients: Array.from({ length: 501 }, () => TO[0]) }, ['ValueNotAllowed /toRecipients']],
    [
      { toRecipients: TO, attachments: Array.from({ length: 251 }, () => fileAttachment()) },
      ['ValueNotAllowed /attachments', 'WrongType /attachments/250/contentBytes'],
    ],
    [
      {
        toRecipients: TO,
        attachments: [
          { name: 'a' },
          { '@odata.type': '#microsoft.graph.driveItem', name: 'a' },
          fileAttachment({ contentBytes: '!' }),
          fileAttachment({ sourceUrl: 'https://files.contoso.example/a' }),
          fileAttachment({ name: undefined }),
          fileAttachment({ contentBytes: [1, 2] }),
          { name: 'a', sourceUrl: 'http://files.contoso.example/a' },
        ],
      },
      [
        'ValueNotAllowed /attachments/0/@odata.type',
        'ValueNotAllowed /attachments/1/@odata.type',
        'ValueNotAllowed /attachments/2/contentBytes',
        'Conflict /attachments/3/sourceUrl',
        'Required /attachments/4/name',
        'WrongType /attachments/5/contentBytes',
        'ValueNotAllowed /attachments/6/sourceUrl',
      ],
    ],
    [
      { toRecipients: TO, attachments: [fileAttachment({ contentBytes: Buffer.alloc(900_001).toString('base64') })] },
      ['SizeTooLarge /attachments/0/contentBytes'],
    ],
    [
      {
        toRecipients: TO,
        attachments: [1, 2].map(() => fileAttachment({ contentBytes: Buffer.alloc(490_000).toString('base64') })),
      },
      ['SizeTooLarge /attachments'],
    ],
  ])('lists every error of case %#', async (body, details) => {
    expect(await detailsOf(sendMail(body))).toEqual(details);
  });

  it('never quotes an address or a text of the mail', async () => {
    const secret = 'SECRET';
    const { message, details } = await errorOf(
      sendMail({
        message: {
          subject: [secret],
          toRecipients: [secret, { emailAddress: { address: [secret] } }],
          importance: secret,
        },
      }),
    );

    expect(details).toHaveLength(5);
    expect(JSON.stringify([message, details])).not.toContain(secret);
  });

  it('keeps errors small, and its time too, if names are long', async () => {
    const long = 'n'.repeat(300_000);
    const duplicates = `{"${long}":[${`{"${long}":1,"${long}":2},`.repeat(2)}{}],"toRecipients":[{"${long}":1}]}`;

    const { details } = await errorOf(sendMail(duplicates));

    expect(details.map(({ code }) => code)).toEqual(expect.arrayContaining(['DuplicateMember', 'UnknownMember']));
    expect(JSON.stringify(details).length).toBeLessThan(5_000);
    expect((await errorOf(sendMail(`{"${long}"${':'.repeat(1_000_000)}`))).code).toBe('InvalidJson');
  });

  it.each<[string, unknown, Partial<MessageLimits>, string]>([
    ['text', { message: { body: { content: 'x'.repeat(3_000_000) }, toRecipients: TO } }, {}, 'RequestBodyTooLarge'],
    [
      'files',
      { toRecipients: TO, attachments: [fileAttachment(), fileAttachment()] },
      { maxJsonAttachmentBytes: 20 },
      'RequestBodyTooLarge',
    ],
    ['depth', `{"a":${'['.repeat(64)}`, {}, 'InvalidJson'],
    ['syntax', '{"message":', {}, 'InvalidJson'],
    ['emptiness', '', {}, 'InvalidJson'],
  ])('rejects a body for its %s', async (_, body, limits, code) => {
    expect((await errorOf(sendMail(body, { ...LIMITS, ...limits }))).code).toBe(code);
  });

  it('says where the syntax is wrong, counting the files', async () => {
    const body = `{"attachments":[{"contentBytes":"${'A'.repeat(400)}"}],}`;

    expect((await errorOf(sendMail(body))).message).toContain(`at character ${body.length - 1})`);
  });

  it('reads the same in chunks of any size, with escapes', async () => {
    const file = fc.uint8Array({ maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(fc.array(file, { maxLength: 4 }), fc.string(), fc.nat(40), async (files, subject, size) => {
        const attachments = files.map((bytes) =>
          fileAttachment({ contentBytes: Buffer.from(bytes).toString('base64') }),
        );
        const text = JSON.stringify({ message: { subject, toRecipients: TO, attachments } });
        const escaped = text.replaceAll('/', '\\/').replaceAll('+', '\\u002B');

        const { message } = await sendMail(escaped, LIMITS, size + 1);

        expect(message.members['subject']).toBe(subject);
        const contents = message.attachments.map((it) =>
          it.kind === 'file' && it.content.kind === 'bytes' ? Buffer.concat(it.content.chunks) : undefined,
        );
        expect(contents).toEqual(files.map((bytes) => Buffer.from(bytes)));
      }),
      { numRuns: runs(100, 3_000) },
    );
  });
});

describe('readDraft', () => {
  it('takes a message without recipients, and none in a wrapper', async () => {
    expect((await draft({ subject: 'Hi' })).members).toEqual({ subject: 'Hi' });
    expect((await draft({ message: { subject: 'Hi' } })).members).toEqual({ message: { subject: 'Hi' } });
  });
});

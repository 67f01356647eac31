import { ServiceError } from '../../../shared/errors.ts';
import { createInternetMessageId, draftBody } from '../../../shared/mail/draftBody.ts';
import { callerMarker, isOurs, MARKER_ID, markerExpand, markerFilter } from '../../../shared/mail/draftMarker.ts';
import { recipientsOf, sendersOf } from '../../../shared/mail/draftRecipients.ts';
import type { MessageAttachment } from '../../../shared/mail/messageAttachment.ts';
import { readMimeMessage } from '../../../shared/mail/mimeMessage.ts';

const OWN = { internetMessageId: '<1@contoso.example>', callerName: "Invoices' app" };
const TO = [{ emailAddress: { address: 'megan@contoso.example' } }];

function fileOf(name: string, sizeBytes: number): MessageAttachment {
  const content = { kind: 'bytes', chunks: [Buffer.alloc(sizeBytes, name)], sizeBytes } as const;
  return { kind: 'file', file: { name, sizeBytes }, content, pointer: '' };
}

function messageOf(attachments: readonly MessageAttachment[], members: object = {}) {
  return {
    members: { subject: 'Hi', toRecipients: TO, ...members },
    attachments,
    recipients: [],
    senders: [],
    sizeBytes: 0,
  };
}

const namesIn = (attachments: readonly MessageAttachment[]) =>
  attachments.map((it) => it.kind === 'file' && it.file.name);

describe('draftBody', () => {
  it('adds the Message-ID and the marker, and keeps the properties of the caller', () => {
    const given = { id: 'Integer 0x0036', value: '2' };
    const { json, rest } = draftBody(
      messageOf([], { internetMessageId: '<x@y>', singleValueExtendedProperties: [given] }),
      OWN,
    );

    expect(JSON.parse(json)).toEqual({
      subject: 'Hi',
      toRecipients: TO,
      internetMessageId: '<1@contoso.example>',
      singleValueExtendedProperties: [given, { id: MARKER_ID, value: "Invoices' app" }],
    });
    expect(rest).toEqual([]);
  });

  it('has the files from the start of the list that fit, each with its type first', () => {
    const other = { kind: 'other', json: { '@odata.type': '#microsoft.graph.itemAttachment' }, pointer: '' } as const;
    const { json, rest } = draftBody(messageOf([fileOf('a', 10), other, fileOf('b', 2_300_000), fileOf('c', 1)]), OWN);

    expect(JSON.parse(json).attachments).toEqual([
      {
        '@odata.type': '#microsoft.graph.fileAttachment',
        name: 'a',
        contentBytes: Buffer.alloc(10, 'a').toString('base64'),
      },
      other.json,
    ]);
    expect(json).toContain('[{"@odata.type"');
    expect(namesIn(rest)).toEqual(['b', 'c']);
  });

  it('stays below 3,000,000 bytes and leaves out a file by URL with all after it', () => {
    const byUrl: MessageAttachment = {
      kind: 'file',
      file: { name: 'url' },
      content: { kind: 'address', url: new URL('https://files.contoso.example/a') },
      pointer: '',
    };
    for (let sizeBytes = 2_249_500; sizeBytes < 2_250_000; sizeBytes += 7) {
      const { json, rest } = draftBody(messageOf([fileOf('a', sizeBytes)]), OWN);
      expect(Buffer.byteLength(json)).toBeLessThanOrEqual(3_000_000);
      if (rest.length === 0) expect(Buffer.byteLength(json)).toBeGreaterThan(2_999_000);
    }
    expect(namesIn(draftBody(messageOf([fileOf('a', 1), byUrl, fileOf('b', 1)]), OWN).rest)).toEqual(['url', 'b']);
  });
});

describe('createInternetMessageId', () => {
  it.each([
    ['Adele@Contoso.example', /^<[0-9a-f-]{36}@contoso\.example>$/],
    ['87d349ed-44d7-43e1-9a83-5f2406dee5bd', /^<[0-9a-f-]{36}@graph-upload-session-proxy\.internal>$/],
    ['adele@bücher.example', /^<[0-9a-f-]{36}@graph-upload-session-proxy\.internal>$/],
  ])('has the domain of %s', (mailbox, pattern) => {
    expect(createInternetMessageId(mailbox)).toMatch(pattern);
    expect(createInternetMessageId(mailbox)).not.toBe(createInternetMessageId(mailbox));
  });
});

describe('the marker of a draft', () => {
  const marked = (...properties: object[]) => ({ id: 'AAMk=', singleValueExtendedProperties: properties });
  const ours = callerMarker('Invoices');

  it('is recognised for its caller, also as Graph may spell it', () => {
    expect(isOurs(marked({ id: 'Integer 0x36', value: '2' }, ours), 'Invoices')).toBe(true);
    expect(isOurs(marked({ ...ours, id: MARKER_ID.toLowerCase() }), 'Invoices')).toBe(true);
  });

  it.each([
    ['another caller', marked(callerMarker('Orders'))],
    ['another letter case', marked(callerMarker('INVOICES'))],
    ['two callers', marked(ours, callerMarker('Orders'))],
    ['no marker', marked()],
    ['no properties', { id: 'AAMk=' }],
    ['no message', null],
  ])('is not recognised with %s', (_, message) => {
    expect(isOurs(message, 'Invoices')).toBe(false);
  });

  it('is queried with quotes doubled', () => {
    expect(markerFilter("O'Neill")).toBe(
      `singleValueExtendedProperties/Any(ep: ep/id eq '${MARKER_ID}' and ep/value eq 'O''Neill')`,
    );
    expect(markerExpand()).toBe(`singleValueExtendedProperties($filter=id eq '${MARKER_ID}')`);
  });
});

describe('recipientsOf and sendersOf', () => {
  const message = { toRecipients: TO, ccRecipients: [], bccRecipients: TO, from: TO[0], sender: null };

  it('read a message of Graph', () => {
    expect(recipientsOf(message)?.map(({ pointer }) => pointer)).toEqual([
      '/toRecipients/0/emailAddress/address',
      '/bccRecipients/0/emailAddress/address',
    ]);
    expect(sendersOf(message)?.map(({ address }) => address)).toEqual(['megan@contoso.example']);
  });

  it.each([null, [], {}, { ...message, bccRecipients: undefined }, { ...message, toRecipients: [...TO, {}] }])(
    'read no recipients from %j',
    (other) => {
      expect(recipientsOf(other)).toBeUndefined();
    },
  );

  it.each([null, { from: {} }, { sender: { emailAddress: { address: null } } }])('read no senders from %j', (other) => {
    expect(sendersOf(other)).toBeUndefined();
  });
});

describe('readMimeMessage', () => {
  const read = (text: string) => {
    const chunks = [Buffer.from(text.slice(0, 5)), Buffer.from(text.slice(5))];
    return readMimeMessage({ read: async () => chunks.shift() }, new AbortController().signal);
  };

  it('gives the text unchanged', async () => {
    const text = `${Buffer.from('From: adele@contoso.example').toString('base64')}\r\n`;

    expect(await read(text)).toBe(text);
  });

  it.each([
    ['From: adele@contoso.example', 'InvalidMessage'],
    ['', 'InvalidMessage'],
    ['AAA', 'InvalidMessage'],
    ['A'.repeat(2_000_001), 'RequestBodyTooLarge'],
  ])('rejects %.40s with %s', async (text, code) => {
    const error = await read(text).catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({ code });
  });
});

import { isObject } from '../common/isObject.ts';
import { foldName } from './messageScanner.ts';

/** The members of a type in Graph's spelling, each with its own type; a member without members has any value. */
interface GraphType {
  readonly [member: string]: GraphType;
}

const VALUE: GraphType = {};
const RECIPIENT = { emailAddress: { name: VALUE, address: VALUE } };
const DATE_TIME = { dateTime: VALUE, timeZone: VALUE };
const EXTENDED_PROPERTY = { id: VALUE, value: VALUE };

/** learn.microsoft.com/graph/api/resources/message, and the CSDL. Attachments are read elsewhere. */
const MESSAGE = {
  toRecipients: RECIPIENT,
  ccRecipients: RECIPIENT,
  bccRecipients: RECIPIENT,
  replyTo: RECIPIENT,
  from: RECIPIENT,
  sender: RECIPIENT,
  subject: VALUE,
  body: { contentType: VALUE, content: VALUE },
  importance: VALUE,
  isDeliveryReceiptRequested: VALUE,
  isReadReceiptRequested: VALUE,
  flag: { flagStatus: VALUE, startDateTime: DATE_TIME, dueDateTime: DATE_TIME, completedDateTime: DATE_TIME },
  categories: VALUE,
  inferenceClassification: VALUE,
  isRead: VALUE,
  internetMessageId: VALUE,
  internetMessageHeaders: { name: VALUE, value: VALUE },
  singleValueExtendedProperties: EXTENDED_PROPERTY,
  multiValueExtendedProperties: EXTENDED_PROPERTY,
  extensions: VALUE,
  attachments: VALUE,
} as const satisfies GraphType;

/** Exchange sets these; clients send them back in a message that they have read. */
const SERVER_OWNED = [
  ...['id', 'changeKey', 'createdDateTime', 'lastModifiedDateTime', 'receivedDateTime', 'sentDateTime', 'isDraft'],
  ...[
    'hasAttachments',
    'bodyPreview',
    'uniqueBody',
    'conversationId',
    'conversationIndex',
    'parentFolderId',
    'webLink',
  ],
];

const ITEM_ATTACHMENT = { name: VALUE, contentType: VALUE, isInline: VALUE, item: VALUE };
const REFERENCE_ATTACHMENT = { name: VALUE, contentType: VALUE, isInline: VALUE, sourceUrl: VALUE };

/**
 * The message in Graph's spelling: without nulls, annotations and the members that Exchange sets. Unknown members stay as they
 * are, for Graph to accept or reject.
 */
export function canonicalMessage(message: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const dropped = new Set(SERVER_OWNED.map(foldName));
  const canonical = respell(message, MESSAGE);
  const members = Object.entries(canonical).filter(([name]) => !dropped.has(foldName(name)));
  return Object.fromEntries(members.filter(([name, value]) => !isEmptyHeaders(name, value)).map(lowerEnums));
}

/** Graph rejects an empty list here, and takes one elsewhere. */
function isEmptyHeaders(name: string, value: unknown): boolean {
  return name === 'internetMessageHeaders' && Array.isArray(value) && value.length === 0;
}

/** Graph compares the values of enumerations with regard to case; clients write `High`, and `HTML` after the documents. */
function lowerEnums([name, value]: [string, unknown]): [string, unknown] {
  if (name === 'importance' && typeof value === 'string') return [name, value.toLowerCase()];
  if (name !== 'body' || !isObject(value) || typeof value['contentType'] !== 'string') return [name, value];
  return [name, { ...value, contentType: value['contentType'].toLowerCase() }];
}

/** An item or reference attachment, with its type first: Graph rejects one with its type elsewhere. */
export function canonicalOther(
  type: 'itemAttachment' | 'referenceAttachment',
  attachment: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const known = type === 'itemAttachment' ? ITEM_ATTACHMENT : REFERENCE_ATTACHMENT;
  const { size: _, id: __, lastModifiedDateTime: ___, ...members } = respell(attachment, { ...known, ...READ_ONLY });
  const typesFirst = Object.entries(members).map(([name, value]) => [name, withTypesFirst(value)]);
  return { '@odata.type': `#microsoft.graph.${type}`, ...Object.fromEntries(typesFirst) };
}

const READ_ONLY = { size: VALUE, id: VALUE, lastModifiedDateTime: VALUE };

function withTypesFirst(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withTypesFirst);
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(([name, member]) =>
    foldName(name) === '@odata.type' ? ['@odata.type', member] : [name, withTypesFirst(member)],
  );
  return Object.fromEntries(
    members.toSorted(([one], [other]) => Number(other === '@odata.type') - Number(one === '@odata.type')),
  );
}

/** Graph's spelling for the members of a type, in lists too; null and annotations are dropped, because the type is known. */
function respell(object: Readonly<Record<string, unknown>>, type: GraphType): Record<string, unknown> {
  const spelling = new Map(Object.keys(type).map((name) => [foldName(name), name]));
  // Entries, not assignment: `__proto__` is an ordinary name here.
  return Object.fromEntries(
    Object.entries(object).flatMap(([written, value]) => {
      const name = spelling.get(foldName(written));
      if (name === undefined) return written.includes('@') ? [] : [[written, value]];
      return value === null ? [] : [[name, respellValue(value, type[name] ?? VALUE)]];
    }),
  );
}

function respellValue(value: unknown, type: GraphType): unknown {
  if (Object.keys(type).length === 0) return value;
  if (Array.isArray(value)) return value.map((member) => respellValue(member, type));
  return isObject(value) ? respell(value, type) : value;
}

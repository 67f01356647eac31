import { Ajv, type ErrorObject } from 'ajv';
import { readAttachment } from '../attachmentBody.ts';
import { GraphError } from '../graphResponse.ts';
import { invalidBody, isObject, membersOf, readJsonObject } from '../jsonBody.ts';
import type { MessageMembers, NewMessage } from './message.ts';
import { readMime } from './mimeMessage.ts';

const MAX_INTERNET_MESSAGE_HEADERS = 5;

const text = { type: 'string', nullable: true };
const flag = { type: 'boolean', nullable: true };
const anything = {};
const oneOf = (...values: string[]) => ({ type: 'string', nullable: true, pattern: `^(${values.join('|')})$` });
const list = (items: object) => ({ type: 'array', nullable: true, items });
/** Names with `@` are annotations. */
const object = (properties: Readonly<Record<string, object>>, ...required: string[]) => ({
  type: 'object',
  nullable: true,
  properties,
  required,
  patternProperties: { '@': anything },
  additionalProperties: false,
});
const recipient = object({ emailAddress: object({ name: text, address: text }) });
const dateTime = object({ dateTime: text, timeZone: text });
const string = { type: 'string' };

/** Of a client's: published CSDL of graph.message. Graph ignores the members that it sets itself. */
const WRITABLE = {
  subject: text,
  body: object({ contentType: oneOf('[tT]ext', '[hH]tml', 'HTML'), content: text }),
  importance: oneOf('[lL]ow', '[nN]ormal', '[hH]igh'),
  toRecipients: list(recipient),
  ccRecipients: list(recipient),
  bccRecipients: list(recipient),
  replyTo: list(recipient),
  from: recipient,
  sender: recipient,
  isDeliveryReceiptRequested: flag,
  isReadReceiptRequested: flag,
  isRead: flag,
  categories: list(string),
  inferenceClassification: oneOf('focused', 'other'),
  flag: object({
    flagStatus: oneOf('notFlagged', 'complete', 'flagged'),
    startDateTime: dateTime,
    dueDateTime: dateTime,
    completedDateTime: dateTime,
  }),
  internetMessageId: text,
  internetMessageHeaders: list(object({ name: string, value: string }, 'name', 'value')),
  singleValueExtendedProperties: list(object({ id: string, value: string }, 'id', 'value')),
  multiValueExtendedProperties: list(object({ id: string, value: list(string) }, 'id', 'value')),
  attachments: list({ type: 'object' }),
  extensions: list({ type: 'object' }),
};
export const WRITABLE_MEMBERS = Object.keys(WRITABLE);
export const SERVER_MEMBERS = [
  'id',
  'createdDateTime',
  'lastModifiedDateTime',
  'changeKey',
  'receivedDateTime',
  'sentDateTime',
  'hasAttachments',
  'bodyPreview',
  'parentFolderId',
  'conversationId',
  'conversationIndex',
  'isDraft',
  'webLink',
  'uniqueBody',
];

const ajv = new Ajv();
const isMessage = ajv.compile<MessageMembers>({
  ...object({ ...WRITABLE, ...Object.fromEntries(SERVER_MEMBERS.map((name) => [name, anything])) }),
  nullable: false,
});

/** Reads the body of a POST to messages, as JSON or as MIME. @throws GraphError */
export function readNewMessage(body: string, contentType: string | undefined): NewMessage {
  return isMime(contentType) ? readMime(body) : checkMessage(readJsonObject(body, contentType));
}

/** Reads the body of sendMail. Its own members may have any letter case, those of the message may not. @throws GraphError */
export function readSendMail(
  body: string,
  contentType: string | undefined,
  acceptsBareMessage: boolean,
): NewMessage & { readonly saveToSentItems: boolean } {
  if (isMime(contentType)) return { ...readMime(body), saveToSentItems: true };
  const json = readJsonObject(body, contentType);
  const parameters = membersOf(json);
  if (acceptsBareMessage && !parameters.has('message')) return { ...checkMessage(json), saveToSentItems: true };
  const unexpected = [...parameters.keys()].find((name) => name !== 'message' && name !== 'savetosentitems');
  if (unexpected !== undefined) {
    const message = `The parameter '${unexpected}' in the request payload is not a valid parameter for the operation 'sendMail'.`;
    throw invalidBody(message);
  }
  const given = parameters.get('message');
  if (!isObject(given)) {
    throw new GraphError(400, 'ErrorInvalidParameter', "The value of the parameter 'Message' is empty.");
  }
  const save = parameters.get('savetosentitems') ?? true;
  // Samples of the documents send a string.
  if (typeof save !== 'boolean' && !/^(true|false)$/i.test(String(save))) {
    throw invalidBody("Cannot convert the value of 'SaveToSentItems' to the expected type 'Edm.Boolean'.");
  }
  return { ...checkMessage(given), saveToSentItems: String(save).toLowerCase() === 'true' };
}

/** Reads the body of a PATCH. @throws GraphError */
export function readMessageChange(body: string, contentType: string | undefined): MessageMembers {
  const { members, attachments } = checkMessage(readJsonObject(body, contentType));
  if (attachments.length > 0 || 'attachments' in members || 'internetMessageHeaders' in members) {
    throw new GraphError(400, 'ErrorInvalidPropertySet', 'Set action is invalid for property.');
  }
  return members;
}

/** @throws GraphError */
export function checkMessage(value: object): NewMessage {
  if (!isMessage(value)) throw invalidBody(explain(isMessage.errors?.[0]));
  const { internetMessageHeaders: headers, attachments } = value;
  if (headers && (headers.length === 0 || headers.length > MAX_INTERNET_MESSAGE_HEADERS)) {
    const message = `The number of internet message headers must be more than 0 and less than or equal to ${MAX_INTERNET_MESSAGE_HEADERS}.`;
    throw new GraphError(400, 'InvalidInternetMessageHeaderCollection', message);
  }
  const wrong = headers?.find(({ name }) => !/^x-./i.test(name));
  if (wrong !== undefined) {
    const message = `The internet message header name '${wrong.name}' should start with 'x-' or 'X-'.`;
    throw new GraphError(400, 'InvalidInternetMessageHeader', message);
  }
  return { members: value, attachments: (attachments ?? []).map((one) => readAttachment(one, 'fileAttachment')) };
}

function explain(error: ErrorObject | undefined): string {
  const unknown: unknown = error?.params['additionalProperty'];
  if (typeof unknown === 'string') {
    const type = error?.instancePath === '' ? 'message' : error?.instancePath;
    return `The property '${unknown}' does not exist on type 'microsoft.graph.${type}'. Make sure to only use property names that are defined by the type.`;
  }
  return `Cannot convert the value of '${error?.instancePath}' to the expected type: it ${error?.message}.`;
}

function isMime(contentType: string | undefined): boolean {
  return /^text\/plain\b/i.test(contentType ?? '');
}

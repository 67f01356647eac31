import { resource, storeAttachment } from '../attachmentsApi.ts';
import {
  accessDenied,
  GraphError,
  type GraphResponse,
  graphHeaders,
  itemNotFound,
  jsonResponse,
  noContent,
} from '../graphResponse.ts';
import type { GraphCall, GraphWorld } from '../graphWorld.ts';
import { folderIdOf, folderNameOf, type ItemRef } from '../mailboxStore.ts';
import { nextLink, readPage } from '../page.ts';
import { type MessageMembers, type NewMessage, propertyKey } from './message.ts';
import { readMessageChange, readNewMessage, readSendMail } from './messageBody.ts';
import { type MessageQuery, matches, NAVIGATION, readMessageQuery } from './messageQuery.ts';
import { addressesOf, type PlayedSend, type StoredMessage } from './messageStore.ts';

type Operation = (item: ItemRef) => GraphResponse;

const MAX_RECIPIENTS = 500;
const DRAFT_ONLY = ['subject', 'body', 'toRecipients', 'ccRecipients', 'bccRecipients', 'replyTo', 'internetMessageId'];
const EMPTY_BODY = { contentType: 'text', content: '' };

/** Reads the body of a call to messages or sendMail, and returns its operation; undefined for other calls. @throws GraphError */
export function findMailOperation(world: GraphWorld, call: GraphCall): Operation | undefined {
  const { method, path, body, contentType } = call;
  const [action] = path.rest;
  if (method === 'POST' && action === 'sendmail') {
    const mail = readSendMail(body, contentType, world.settings.mail.acceptsBareMessage);
    return (mailbox) => sendMail(world, call, mailbox, mail);
  }
  if (path.type !== 'message') return undefined;
  if (path.isCollection) {
    if (method === 'GET') return (item) => listMessages(world, call, item);
    if (method !== 'POST') return undefined;
    const message = readNewMessage(body, contentType);
    return (item) => createMessage(world, call, item, message);
  }
  if (method === 'POST' && action === 'send') return (item) => sendDraft(world, call, item);
  if (method === 'POST' && action === 'permanentdelete') {
    return (item) => {
      world.messages.remove(world.messages.find(item));
      return noContent(call.ids);
    };
  }
  if (action !== undefined) return undefined;
  if (method === 'GET') {
    const query = readMessageQuery(call.query);
    return (item) => messageResponse(world, call, world.messages.read(item), 200, query);
  }
  if (method === 'DELETE') {
    return (item) => {
      world.messages.delete(world.messages.find(item));
      return noContent(call.ids);
    };
  }
  if (method !== 'PATCH') return undefined;
  const members = readMessageChange(body, contentType);
  return (item) => changeMessage(world, call, item, members);
}

/** @throws GraphError if the token has roles, and none of those that the call requires */
export function checkRoles({ method, path, roles }: GraphCall): void {
  const family =
    path.type === 'message' || path.rest[0] === 'sendmail' ? 'Mail' : path.type === 'event' ? 'Calendars' : undefined;
  if (roles === undefined || family === undefined) return;
  const isSend = path.rest[0] === 'send' || path.rest[0] === 'sendmail';
  const sufficient = isSend ? ['Mail.Send'] : [`${family}.ReadWrite`, ...(method === 'GET' ? [`${family}.Read`] : [])];
  if (!sufficient.some((role) => roles.includes(role))) throw accessDenied();
}

function createMessage(
  world: GraphWorld,
  call: GraphCall,
  item: ItemRef,
  { members, attachments }: NewMessage,
): GraphResponse {
  const folder = call.path.keys.findLast(({ type }) => type === 'mailFolder');
  const message = world.messages.create(item.mailboxId, members, folder && folderNameOf(folder.id));
  for (const attachment of attachments) storeAttachment(world, { ...item, id: message.immutableId }, attachment);
  return messageResponse(world, call, message, 201, readMessageQuery(new URLSearchParams()));
}

function changeMessage(world: GraphWorld, call: GraphCall, item: ItemRef, members: MessageMembers): GraphResponse {
  const message = world.messages.find(item);
  if (!message.isDraft && DRAFT_ONLY.some((name) => name in members)) {
    throw new GraphError(400, 'ErrorInvalidPropertySet', 'Set action is invalid for property.');
  }
  world.messages.update(message, members);
  return messageResponse(world, call, message, 200, readMessageQuery(new URLSearchParams()));
}

function sendDraft(world: GraphWorld, call: GraphCall, item: ItemRef): GraphResponse {
  const message = world.messages.find(item);
  if (!message.isDraft || message.folder === 'deleteditems') throw itemNotFound();
  checkSendable(world, message.mailboxId, message.members);
  world.messages.send(message, true, playedSend(call));
  return accepted(call);
}

function sendMail(
  world: GraphWorld,
  call: GraphCall,
  mailbox: ItemRef,
  { members, attachments, saveToSentItems }: NewMessage & { readonly saveToSentItems: boolean },
): GraphResponse {
  checkSendable(world, mailbox.mailboxId, members);
  if (/^text\/plain\b/i.test(call.contentType ?? '') && call.body.length > world.settings.mail.maxMimeCharacters) {
    return { status: 200, headers: graphHeaders(call.ids), body: '' };
  }
  const message = world.messages.create(mailbox.mailboxId, members);
  for (const one of attachments) storeAttachment(world, { ...mailbox, type: 'message', id: message.immutableId }, one);
  world.messages.send(message, saveToSentItems, playedSend(call));
  return accepted(call);
}

function playedSend({ played }: GraphCall): PlayedSend | undefined {
  if (played?.behaviour.kind !== 'send') return undefined;
  return { effect: played.behaviour.effect, reads: played.reads, ms: played.ms };
}

function accepted({ ids, played }: GraphCall): GraphResponse {
  const isRetryAfter = played?.behaviour.kind === 'send' && played.behaviour.effect === 'retryAfter';
  const retryAfter = isRetryAfter ? { 'Retry-After': played.retryAfter ?? '1' } : {};
  return { status: 202, headers: { ...graphHeaders(ids), 'Content-Type': 'text/plain', ...retryAfter }, body: '' };
}

/** @throws GraphError if Graph would not submit the message */
function checkSendable(world: GraphWorld, mailboxId: string, members: MessageMembers): void {
  const { toRecipients, ccRecipients, bccRecipients } = members;
  const recipients = [toRecipients, ccRecipients, bccRecipients].flatMap((list) => list ?? []);
  const addresses = addressesOf(recipients);
  if (
    addresses.length < recipients.length ||
    addresses.length === 0 ||
    addresses.some((one) => !/^[^@\s]+@[^@\s]+$/.test(one))
  ) {
    const message = "At least one recipient is not valid., A message can't be sent because it contains no recipients.";
    throw new GraphError(400, 'ErrorInvalidRecipients', message);
  }
  if (addresses.length > MAX_RECIPIENTS) {
    throw new GraphError(400, world.settings.mail.tooManyRecipientsCode, 'The message has too many recipients.');
  }
  const senders = addressesOf([members.from ?? {}, members.sender ?? {}]);
  if (senders.some((address) => !world.mailboxes.hasAddress(mailboxId, address))) {
    throw new GraphError(
      403,
      'ErrorSendAsDenied',
      'The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account., Cannot submit message.',
    );
  }
}

function listMessages(world: GraphWorld, call: GraphCall, item: ItemRef): GraphResponse {
  const query = readMessageQuery(call.query);
  const folder = call.path.keys.findLast(({ type }) => type === 'mailFolder');
  const { top, skip } = readPage(call.query);
  const found = world.messages
    .list(item.mailboxId, folder && folderNameOf(folder.id))
    .filter((message) => matches(query.terms, show(world, call, message), propertiesOf(message)));
  return jsonResponse(call.ids, 200, {
    '@odata.context': contextOf(world, call),
    ...(skip + top < found.length && { '@odata.nextLink': nextLink(world, call, skip + top) }),
    value: found.slice(skip, skip + top).map((message) => select(world, call, message, query)),
  });
}

function messageResponse(
  world: GraphWorld,
  call: GraphCall,
  message: StoredMessage,
  status: number,
  query: MessageQuery,
): GraphResponse {
  const context = { '@odata.context': `${contextOf(world, call)}/$entity` };
  const response = jsonResponse(call.ids, status, { ...context, ...select(world, call, message, query) });
  if (!call.wantsImmutableIds) return response;
  return { ...response, headers: { ...response.headers, 'Preference-Applied': 'IdType="ImmutableId"' } };
}

function contextOf(world: GraphWorld, { path }: GraphCall): string {
  return `${world.url}/${path.version}/$metadata#users('${path.ownerId}')/messages`;
}

function propertiesOf({ members }: StoredMessage): ReadonlyMap<string | undefined, string> {
  return new Map((members.singleValueExtendedProperties ?? []).map(({ id, value }) => [propertyKey(id), value]));
}

/** The selected and expanded members of a message. */
function select(world: GraphWorld, call: GraphCall, message: StoredMessage, query: MessageQuery): object {
  const { internetMessageHeaders, ...shown } = show(world, call, message);
  const selected = query.select?.map((name) => [
    name,
    name === 'internetMessageHeaders' ? internetMessageHeaders : shown[name],
  ]);
  const properties = [...propertiesOf(message)]
    .filter(([id]) => query.expandedProperties.has(id))
    .map(([id, value]) => ({ id, value }));
  const attachments = world.mailboxes.attachments(message.mailboxId, message.immutableId);
  return {
    '@odata.etag': shown['@odata.etag'],
    ...(selected === undefined ? shown : { id: shown['id'], ...Object.fromEntries(selected) }),
    ...(properties.length > 0 && { singleValueExtendedProperties: properties }),
    ...(query.expandsAttachments && {
      attachments: attachments.map((one) => resource(one, 'message', world.mailboxes.content(one.id))),
    }),
  };
}

/** A message as Graph shows it. */
function show(
  world: GraphWorld,
  { wantsImmutableIds }: GraphCall,
  message: StoredMessage,
): Readonly<Record<string, unknown>> {
  const { mailboxId, members, createdAt, modifiedAt, sentAt = createdAt } = message;
  const given = Object.entries(members).filter(([name, value]) => value !== null && !NAVIGATION.includes(name));
  const changeKey = Buffer.from(`${modifiedAt}`).toString('base64');
  const mailbox = {
    emailAddress: { name: world.mailboxes.addressOf(mailboxId), address: world.mailboxes.addressOf(mailboxId) },
  };
  const body = { ...EMPTY_BODY, ...members.body };
  const attachments = world.mailboxes.attachments(mailboxId, message.immutableId);
  return {
    '@odata.etag': `W/"${changeKey}"`,
    subject: null,
    importance: 'normal',
    isRead: true,
    isDeliveryReceiptRequested: null,
    isReadReceiptRequested: false,
    categories: [],
    inferenceClassification: 'focused',
    flag: { flagStatus: 'notFlagged' },
    ccRecipients: [],
    bccRecipients: [],
    toRecipients: [],
    replyTo: [],
    from: mailbox,
    sender: mailbox,
    ...Object.fromEntries(given),
    id: wantsImmutableIds ? message.immutableId : message.id,
    changeKey,
    internetMessageId: message.internetMessageId,
    conversationId: message.conversationId,
    conversationIndex: Buffer.from(message.conversationId).toString('base64').slice(0, 28),
    createdDateTime: dateTime(createdAt),
    lastModifiedDateTime: dateTime(modifiedAt),
    receivedDateTime: dateTime(sentAt),
    sentDateTime: dateTime(sentAt),
    isDraft: message.isDraft,
    parentFolderId: folderIdOf(message.folder),
    hasAttachments: attachments.some(({ isInline }) => !isInline),
    body: { ...body, contentType: String(body.contentType).toLowerCase() },
    bodyPreview: String(body.content)
      .replace(/<[^>]*>/g, '')
      .slice(0, 255),
    webLink: `https://outlook.office365.com/owa/?ItemID=${encodeURIComponent(message.id)}`,
  };
}

/** Without a fraction, as Exchange writes it. */
function dateTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

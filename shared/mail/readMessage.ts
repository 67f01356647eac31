import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ErrorObject } from 'ajv';
import { MAX_RECIPIENTS } from '../access/policy.ts';
import { isObject } from '../common/isObject.ts';
import { MAX_DECODE_STEP_BYTES, MAX_DETAILS } from '../common/limits.ts';
import { type ErrorDetail, ServiceError } from '../errors.ts';
import { escapePointer } from '../json/explainError.ts';
import * as validators from '../json/validators.generated.cjs';
import { type ReadableBody, readPatiently } from '../sources/bodySource.ts';
import type { JsonReservation } from '../sources/jsonMemory.ts';
import { canonicalMessage } from './canonicalMessage.ts';
import { isMarker } from './draftMarker.ts';
import { invalidMessage } from './invalidMessage.ts';
import { type MessageAttachment, readMessageAttachment } from './messageAttachment.ts';
import { foldName, MAX_MESSAGE_TEXT_BYTES, MessageScanner, type ScannedMessage } from './messageScanner.ts';

export interface MessageLimits {
  /** All files in the request together, decoded: the setting MAX_JSON_ATTACHMENT_BYTES. */
  readonly maxJsonAttachmentBytes: number;
  /** One file. */
  readonly maxFileBytes: number;
  /** The text and the files in the request together: the setting MAX_MESSAGE_BYTES. */
  readonly maxMessageBytes: number;
}

export interface AddressAt {
  /** As it was written. */
  readonly address: string;
  /** Its place, as a JSON pointer into the body. */
  readonly pointer: string;
}

/** A message that has passed every check but the policy's. */
export interface MailMessage {
  /** In Graph's spelling, without attachments. */
  readonly members: Readonly<Record<string, unknown>>;
  readonly attachments: readonly MessageAttachment[];
  /** To, Cc and Bcc, in this order. */
  readonly recipients: readonly AddressAt[];
  /** `from` and `sender`, if present. */
  readonly senders: readonly AddressAt[];
  /** Of the text and of the files in the request. */
  readonly sizeBytes: number;
}

export interface SendMailRequest {
  readonly message: MailMessage;
  readonly saveToSentItems: boolean;
}

/**
 * Reads the body of sendMail: `message` and `saveToSentItems` in any letter case, or the message itself.
 *
 * @param held counts the decoded files; its owner releases them
 * @throws ServiceError InvalidMessage with one detail per error, InvalidJson, RequestBodyTooLarge, RequestBodyTimeout, InstanceBusy
 */
export async function readSendMail(
  body: ReadableBody,
  limits: MessageLimits,
  held: JsonReservation,
  signal: AbortSignal,
): Promise<SendMailRequest> {
  const scanned = await scan(body, limits, held, signal);
  const details = [...scanned.duplicates];
  const { message, pointer, saveToSentItems } = unwrap(scanned.value, details);
  const read = readMessage(message, pointer, scanned, limits, details);
  if (read.recipients.length === 0) {
    const text = 'The message has no recipient in toRecipients, ccRecipients or bccRecipients.';
    details.push({ code: 'Required', message: text, target: `${pointer}/toRecipients` });
  }
  return { message: checked(read, details), saveToSentItems };
}

/** Reads the body of a POST to messages: the message itself. Parameters and errors as for readSendMail. */
export async function readDraft(
  body: ReadableBody,
  limits: MessageLimits,
  held: JsonReservation,
  signal: AbortSignal,
): Promise<MailMessage> {
  const scanned = await scan(body, limits, held, signal);
  const details = [...scanned.duplicates];
  return checked(readMessage(scanned.value, '', scanned, limits, details), details);
}

/** Other requests get their turn after every step. */
async function scan(
  body: ReadableBody,
  { maxJsonAttachmentBytes }: MessageLimits,
  held: JsonReservation,
  signal: AbortSignal,
): Promise<ScannedMessage> {
  const scanner = new MessageScanner();
  // Base64 with every character escaped has eight times the size of the file.
  const maxBodyBytes = maxJsonAttachmentBytes * 8 + MAX_MESSAGE_TEXT_BYTES;
  let bodyBytes = 0;
  let stepBytes = 0;
  const checkSize = () => {
    if (scanner.decodedBytes <= maxJsonAttachmentBytes && bodyBytes <= maxBodyBytes) return;
    const message = `The files in contentBytes may have at most ${maxJsonAttachmentBytes} bytes together (MAX_JSON_ATTACHMENT_BYTES). Send a larger one by its sourceUrl, or create a draft and attach the file to it.`;
    throw new ServiceError('RequestBodyTooLarge', message);
  };
  for (let chunk = await readPatiently(body, signal); chunk !== undefined; chunk = await readPatiently(body, signal)) {
    for (let start = 0; start < chunk.length; start += MAX_DECODE_STEP_BYTES) {
      const step = chunk.subarray(start, start + MAX_DECODE_STEP_BYTES);
      scanner.push(step);
      bodyBytes += step.length;
      checkSize();
      held.grow(scanner.decodedBytes);
      stepBytes += step.length;
      if (stepBytes < MAX_DECODE_STEP_BYTES) continue;
      stepBytes = 0;
      await nextTurn();
    }
  }
  const scanned = scanner.end();
  checkSize();
  held.grow(scanner.decodedBytes);
  return scanned;
}

interface Unwrapped {
  readonly message: unknown;
  readonly pointer: string;
  readonly saveToSentItems: boolean;
}

/** Stock clients write `Message`, `message`, or no wrapper at all (Graph's own documents have all three). */
function unwrap(body: unknown, details: ErrorDetail[]): Unwrapped {
  if (!isObject(body)) return { message: body, pointer: '', saveToSentItems: true };
  const entries = Object.entries(body);
  const find = (folded: string) => entries.find(([name]) => foldName(name) === folded);
  const [saveName, saveValue] = find('savetosentitems') ?? ['saveToSentItems', null];
  const saveToSentItems = readFlag(saveValue, saveName, details);
  const wrapped = find('message');
  const others = entries.filter(([name]) => name !== saveName);
  if (wrapped === undefined) return { message: Object.fromEntries(others), pointer: '', saveToSentItems };
  const [messageName, message] = wrapped;
  for (const [name] of others.filter(([name]) => name !== messageName && !name.includes('@'))) {
    const text = `'${name}' is not a parameter of sendMail. Put the members of the message into '${messageName}'.`;
    details.push({ code: 'UnknownMember', message: text, target: `/${escapePointer(name)}` });
  }
  return { message, pointer: `/${escapePointer(messageName)}`, saveToSentItems };
}

/** Scripts write the Boolean as a string, and null for the default. */
function readFlag(value: unknown, name: string, details: ErrorDetail[]): boolean {
  const text = typeof value === 'string' ? value.toLowerCase() : value;
  if (text === true || text === 'true' || text === null) return true;
  if (text !== false && text !== 'false') {
    details.push({ code: 'WrongType', message: `'${name}' must be true or false.`, target: `/${escapePointer(name)}` });
  }
  return false;
}

function readMessage(
  written: unknown,
  pointer: string,
  { files, textBytes }: ScannedMessage,
  limits: MessageLimits,
  details: ErrorDetail[],
): MailMessage {
  if (!isObject(written)) {
    throw invalidMessage([{ code: 'WrongType', message: 'The message must be an object.', target: pointer }]);
  }
  const canonical = canonicalMessage(written);
  const errors = validators.message(canonical) ? [] : (validators.message.errors ?? []);
  details.push(...errors.slice(0, MAX_DETAILS).map((error) => explain(error, pointer)));
  refuseMarker(canonical, pointer, details);
  const { attachments: list = [], ...members } = canonical;
  const attachments = Array.isArray(list)
    ? list.flatMap((attachment, index) => {
        const place = `${pointer}/attachments/${index}`;
        return isObject(attachment)
          ? (readMessageAttachment(attachment, files.get(index), limits.maxFileBytes, place, details) ?? [])
          : [];
      })
    : [];
  const recipients = ['toRecipients', 'ccRecipients', 'bccRecipients'].flatMap((name) =>
    addressesIn(members[name], `${pointer}/${name}`),
  );
  const sizeBytes = [...files.values()].reduce((sum, file) => sum + file.sizeBytes, textBytes);
  checkLimits(recipients.length, sizeBytes, limits, pointer, details);
  const senders = ['from', 'sender'].flatMap((name) => addressAt(members[name], `${pointer}/${name}`));
  return { members, attachments, recipients, senders, sizeBytes };
}

function checked(message: MailMessage, details: readonly ErrorDetail[]): MailMessage {
  if (details.length > 0)
    throw invalidMessage(details.slice(0, MAX_DETAILS), Math.max(0, details.length - MAX_DETAILS));
  return message;
}

function checkLimits(
  recipients: number,
  sizeBytes: number,
  { maxMessageBytes }: MessageLimits,
  pointer: string,
  details: ErrorDetail[],
): void {
  if (recipients > MAX_RECIPIENTS) {
    const message = `A message may have at most ${MAX_RECIPIENTS} recipients in To, Cc and Bcc; this one has ${recipients}.`;
    details.push({ code: 'ValueNotAllowed', message, target: `${pointer}/toRecipients` });
  }
  if (sizeBytes > maxMessageBytes) {
    const message = `A message may have at most ${maxMessageBytes} bytes (MAX_MESSAGE_BYTES); this one has ${sizeBytes}. Send links to large files.`;
    details.push({ code: 'SizeTooLarge', message, target: `${pointer}/attachments` });
  }
}

/** With the marker of the proxy, a caller could send, read or delete drafts of another one. */
function refuseMarker(message: Readonly<Record<string, unknown>>, pointer: string, details: ErrorDetail[]): void {
  for (const name of ['singleValueExtendedProperties', 'multiValueExtendedProperties']) {
    const list = message[name];
    for (const [index, property] of (Array.isArray(list) ? list : []).entries()) {
      if (!isObject(property) || !isMarker(property['id'])) continue;
      const target = `${pointer}/${name}/${index}/id`;
      details.push({ code: 'ValueNotAllowed', message: 'The proxy alone sets this extended property.', target });
    }
  }
}

/** The addresses of a list of recipients in Graph's form. */
export function addressesIn(list: unknown, pointer: string): AddressAt[] {
  return Array.isArray(list) ? list.flatMap((recipient, index) => addressAt(recipient, `${pointer}/${index}`)) : [];
}

export function addressAt(recipient: unknown, pointer: string): AddressAt[] {
  const emailAddress = isObject(recipient) ? recipient['emailAddress'] : undefined;
  const address = isObject(emailAddress) ? emailAddress['address'] : undefined;
  return typeof address === 'string' ? [{ address, pointer: `${pointer}/emailAddress/address` }] : [];
}

function explain({ keyword, instancePath, params, message = '' }: ErrorObject, pointer: string): ErrorDetail {
  const target = `${pointer}${instancePath}`;
  const name = instancePath.slice(instancePath.lastIndexOf('/') + 1);
  switch (keyword) {
    case 'required': {
      const missing = String(params['missingProperty']);
      return { code: 'Required', message: `'${missing}' is missing.`, target: `${target}/${missing}` };
    }
    case 'additionalProperties': {
      const unknown = String(params['additionalProperty']);
      const text = `'${unknown}' is not a member here. A recipient is {"emailAddress":{"address":"…","name":"…"}}.`;
      return { code: 'UnknownMember', message: text, target: `${target}/${escapePointer(unknown)}` };
    }
    case 'type': {
      const form = /Recipients$|^replyTo$|^from$|^sender$/.test(name) || /Recipients\/\d+$/.test(instancePath);
      const hint = form ? ' A recipient is {"emailAddress":{"address":"…","name":"…"}}.' : '';
      return { code: 'WrongType', message: `'${name}' must be ${params['type']}.${hint}`, target };
    }
    case 'enum': {
      const allowed = [params['allowedValues']].flat().join(', ');
      return { code: 'ValueNotAllowed', message: `'${name}' must be one of ${allowed}.`, target };
    }
    case 'maxItems':
      return { code: 'ValueNotAllowed', message: `'${name}' may have at most ${params['limit']} members.`, target };
    default:
      return { code: 'ValueNotAllowed', message: `'${name}' ${message}.`, target };
  }
}

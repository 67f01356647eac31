import { foldAddress } from '../access/recipients.ts';
import { callerMarker } from './draftMarker.ts';
import type { MessageAttachment } from './messageAttachment.ts';
import type { MailMessage } from './readMessage.ts';

/** The largest request with files inside. Graph takes 4 MB, and rejects less in some tenants (microsoftgraph/microsoft-graph-docs-contrib#682). */
const MAX_DRAFT_BYTES = 3_000_000;

/** RFC 9476 has `.internal` for names without a meaning outside. */
const UNKNOWN_DOMAIN = 'graph-upload-session-proxy.internal';

/**
 * A Message-ID of its own, by which the sent copy can be found. Its domain is the mailbox's, as mail filters expect; an object id
 * tells no domain.
 */
export function createInternetMessageId(mailbox: string): string {
  const address = foldAddress(mailbox);
  const domain = address?.slice(address.indexOf('@') + 1) ?? '';
  return `<${crypto.randomUUID()}@${/^[\w.-]+$/.test(domain) ? domain : UNKNOWN_DOMAIN}>`;
}

/** What the proxy adds to a draft. */
export interface DraftOwn {
  readonly internetMessageId: string;
  readonly callerName: string;
}

export interface DraftBody {
  readonly json: string;
  /** The attachments that did not fit, in order. */
  readonly rest: readonly MessageAttachment[];
}

/** The draft of a message. The proxy's internetMessageId replaces the caller's: only a unique one proves what was sent. */
export function draftBody(
  { members, attachments }: MailMessage,
  { internetMessageId, callerName }: DraftOwn,
): DraftBody {
  const given = members['singleValueExtendedProperties'];
  const singleValueExtendedProperties = [...(Array.isArray(given) ? given : []), callerMarker(callerName)];
  return messageBody({ ...members, internetMessageId, singleValueExtendedProperties }, attachments);
}

/** With as many attachments from the start of the list as fit: the recipients see the caller's order. */
export function messageBody(
  message: Readonly<Record<string, unknown>>,
  attachments: readonly MessageAttachment[],
): DraftBody {
  const inside: object[] = [];
  let bytes = Buffer.byteLength(JSON.stringify({ ...message, attachments: [] }));
  for (const attachment of attachments) {
    const size = serialisedBytes(attachment);
    if (size === undefined || bytes + size > MAX_DRAFT_BYTES) break;
    bytes += size;
    inside.push(attachmentJson(attachment));
  }
  const json = JSON.stringify(inside.length === 0 ? message : { ...message, attachments: inside });
  return { json, rest: attachments.slice(inside.length) };
}

/** With the comma before it; undefined for a file that is not in the request. */
function serialisedBytes(attachment: MessageAttachment): number | undefined {
  if (attachment.kind === 'other') return Buffer.byteLength(JSON.stringify(attachment.json)) + 1;
  const { content, file } = attachment;
  if (content.kind !== 'bytes') return undefined;
  return Buffer.byteLength(JSON.stringify(fileJson(file, ''))) + 4 * Math.ceil(content.sizeBytes / 3) + 1;
}

/** The attachment as Graph takes it, in a draft or by a POST of its own; of a file by URL only what is declared. */
export function attachmentJson(attachment: MessageAttachment): object {
  if (attachment.kind === 'other') return attachment.json;
  const { content, file } = attachment;
  return fileJson(file, content.kind === 'bytes' ? Buffer.concat(content.chunks).toString('base64') : '');
}

function fileJson({ name, contentType, isInline, contentId }: MessageAttachmentFile, contentBytes: string): object {
  return { '@odata.type': '#microsoft.graph.fileAttachment', name, contentType, isInline, contentId, contentBytes };
}

type MessageAttachmentFile = Extract<MessageAttachment, { kind: 'file' }>['file'];

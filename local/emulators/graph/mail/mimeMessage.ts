import libmime from 'libmime';
import type { PostedAttachment } from '../attachmentBody.ts';
import { GraphError } from '../graphResponse.ts';
import type { MessageMembers, NewMessage, Recipient } from './message.ts';

/** A part without parts: its headers, and its decoded bytes. */
interface Leaf {
  readonly type: string;
  readonly charset: string;
  readonly fileName: string | undefined;
  readonly contentId: string | undefined;
  readonly isAttachment: boolean;
  readonly content: Buffer;
}

type Headers = Readonly<Record<string, readonly string[]>>;

/** Reads a message sent as base64 of MIME. @throws GraphError */
export function readMime(base64: string): NewMessage {
  const trimmed = base64.replace(/\s/g, '');
  if (trimmed === '' || trimmed.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(trimmed)) {
    const message = 'Invalid base64 string for MIME content.';
    throw new GraphError(400, 'ErrorMimeContentInvalidBase64String', message);
  }
  const { headers, body } = splitPart(Buffer.from(trimmed, 'base64').toString('latin1'));
  const leaves = leavesOf(headers, body);
  const shown =
    leaves.find((leaf) => leaf.type === 'text/html' && !leaf.isAttachment) ??
    leaves.find((leaf) => leaf.type === 'text/plain' && !leaf.isAttachment);
  const texts = ['text/html', 'text/plain'];
  const attached = leaves.filter((leaf) => leaf !== shown && (leaf.isAttachment || !texts.includes(leaf.type)));
  return { members: membersOf(headers, shown), attachments: attached.map(toAttachment) };
}

function membersOf(headers: Headers, shown: Leaf | undefined): MessageMembers {
  const [from] = addressesIn(headers, 'from');
  const [sender] = addressesIn(headers, 'sender');
  const custom = Object.entries(headers).filter(([name]) => name.startsWith('x-'));
  const [internetMessageId] = headers['message-id'] ?? [];
  return {
    subject: libmime.decodeWords(headers['subject']?.[0] ?? ''),
    body: {
      contentType: shown?.type === 'text/html' ? 'html' : 'text',
      // Decodes the charset too.
      content: shown === undefined ? '' : libmime.decodeWord(shown.charset, 'B', shown.content.toString('base64')),
    },
    toRecipients: addressesIn(headers, 'to'),
    ccRecipients: addressesIn(headers, 'cc'),
    bccRecipients: addressesIn(headers, 'bcc'),
    replyTo: addressesIn(headers, 'reply-to'),
    ...(from !== undefined && { from }),
    ...(sender !== undefined && { sender }),
    ...(internetMessageId !== undefined && { internetMessageId: internetMessageId.trim() }),
    internetMessageHeaders: custom.flatMap(([name, values]) => values.map((value) => ({ name, value }))),
  };
}

function splitPart(part: string): { readonly headers: Headers; readonly body: string } {
  const end = /\r?\n\r?\n/.exec(part);
  const head = part.slice(0, end?.index ?? part.length);
  const headers = libmime.decodeHeaders(Buffer.from(head, 'latin1').toString('utf8'));
  return { headers, body: end === null ? '' : part.slice(end.index + end[0].length) };
}

function leavesOf(headers: Headers, body: string): Leaf[] {
  const type = libmime.parseHeaderValue(headers['content-type']?.[0] ?? 'text/plain');
  const { boundary } = type.params;
  if (/^multipart\//i.test(type.value) && boundary !== undefined) {
    const [, ...parts] = `\n${body}`.split(`\n--${boundary}`);
    return parts
      .filter((part) => !part.startsWith('--'))
      .flatMap((part) => {
        const inner = splitPart(part.replace(/^[ \t]*\r?\n/, '').replace(/\r$/, ''));
        return leavesOf(inner.headers, inner.body);
      });
  }
  const disposition = libmime.parseHeaderValue(headers['content-disposition']?.[0] ?? '');
  const name = disposition.params['filename'] ?? type.params['name'];
  const contentId = headers['content-id']?.[0]?.replace(/^\s*<|>\s*$/g, '');
  return [
    {
      type: type.value.toLowerCase(),
      charset: type.params['charset'] ?? 'utf-8',
      fileName: name === undefined ? undefined : libmime.decodeWords(name),
      contentId,
      isAttachment: /^attachment$/i.test(disposition.value) || name !== undefined,
      content: decodeTransfer(body, headers['content-transfer-encoding']?.[0] ?? ''),
    },
  ];
}

function decodeTransfer(body: string, encoding: string): Buffer {
  if (/base64/i.test(encoding)) return Buffer.from(body, 'base64');
  if (!/quoted-printable/i.test(encoding)) return Buffer.from(body, 'latin1');
  const joined = body.replace(/=\r?\n/g, '');
  const decoded = joined.replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(decoded, 'latin1');
}

/** Commas within quotes or angle brackets do not separate addresses. */
function addressesIn(headers: Headers, name: string): Recipient[] {
  return (headers[name] ?? []).flatMap((value) =>
    (value.match(/(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^,"<])+/g) ?? [])
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '')
      .map((entry) => {
        const [, before = '', address = entry] = /^([^<]*)<([^<>]*)>$/.exec(entry) ?? [];
        const display = libmime.decodeWords(before.trim().replace(/^"|"$/g, ''));
        return { emailAddress: { name: display === '' ? address : display, address } };
      }),
  );
}

function toAttachment({ type, fileName, contentId, isAttachment, content }: Leaf): PostedAttachment {
  return {
    type: 'fileAttachment',
    name: fileName ?? contentId ?? 'attachment',
    size: content.length,
    contentType: type,
    isInline: contentId !== undefined && !isAttachment,
    contentId: contentId ?? null,
    content,
  };
}

import type { PostedAttachment } from '../attachmentBody.ts';

export interface Recipient {
  readonly emailAddress?: { readonly name?: string | null; readonly address?: string | null } | null;
}

export interface ExtendedProperty {
  readonly id: string;
  readonly value: string;
}

type Recipients = readonly Recipient[] | null;

/** The members of a message that the emulator itself reads. It keeps the others as they came. */
export interface MessageMembers {
  readonly subject?: string | null;
  readonly body?: { readonly contentType?: string | null; readonly content?: string | null } | null;
  readonly toRecipients?: Recipients;
  readonly ccRecipients?: Recipients;
  readonly bccRecipients?: Recipients;
  readonly replyTo?: Recipients;
  readonly from?: Recipient | null;
  readonly sender?: Recipient | null;
  readonly internetMessageId?: string | null;
  readonly internetMessageHeaders?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly singleValueExtendedProperties?: readonly ExtendedProperty[] | null;
  readonly attachments?: readonly object[] | null;
}

export interface NewMessage {
  readonly members: MessageMembers;
  readonly attachments: readonly PostedAttachment[];
}

/**
 * An extended property's id in the form in which Graph shows and compares it: the name is case-sensitive, the rest is not, and
 * a tag has no leading zeros (`Integer 0x0036` is `Integer 0x36`). Undefined: invalid.
 */
export function propertyKey(id: string): string | undefined {
  const [, tagType, tag] = /^(\w+) 0x0*([0-9a-f]{1,4})$/i.exec(id) ?? [];
  if (tagType !== undefined && tag !== undefined) return `${capital(tagType)} 0x${tag.toLowerCase()}`;
  const [, type, guid, kind, name] = /^(\w+) (\{[0-9a-f-]{36}\}) (name|id) (.+)$/i.exec(id) ?? [];
  if (type === undefined || guid === undefined || kind === undefined) return undefined;
  return `${capital(type)} ${guid.toLowerCase()} ${capital(kind)} ${name}`;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1).toLowerCase();
}

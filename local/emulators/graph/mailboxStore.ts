import { randomBytes } from 'node:crypto';
import { isErrorId } from '../errors/errorRequest.ts';
import type { GraphPath } from './graphPath.ts';
import { type MailboxSeed, SEED } from './seed.ts';

/** An attachment, however it came. Of its bytes this is the hash. */
export interface StoredAttachment {
  readonly id: string;
  readonly name: string | null;
  readonly contentType: string;
  /** The file's own length in bytes. */
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly isInline: boolean;
  readonly contentId: string | null;
  readonly lastModifiedDateTime: string;
}

/** An existing item, in an existing mailbox. */
export interface ItemRef {
  readonly mailboxId: string;
  readonly owner: 'users' | 'groups';
  readonly type: string;
  readonly id: string;
}

export type Lookup =
  | { readonly kind: 'found'; readonly item: ItemRef }
  | { readonly kind: 'noMailbox' | 'noItem' | 'malformedId' };

export interface MailboxStore {
  addMailbox(mailbox: MailboxSeed): void;
  /** Makes an item and returns its id. The mailbox must be there. */
  createItem(mailboxId: string, type: string): string;
  /** Finds what a path under `users` or `groups` names; with `anyItem` every id is found. */
  lookUp(path: GraphPath, anyItem: boolean): Lookup;
  /** False where the mailbox of a path is another user's, or that of a group without this user. */
  admits(path: GraphPath, userId: string, anyItem: boolean): boolean;
  /** The mailbox by id or user principal name. */
  attachments(mailbox: string, itemId: string): readonly StoredAttachment[];
  addAttachment(item: ItemRef, attachment: Omit<StoredAttachment, 'id'>): StoredAttachment;
  removeAttachment(item: ItemRef, id: string): void;
  reset(): void;
}

/** Exchange ids are base64 with `-` and `_` in place of `/` and `+`; some stores hand out the latter. */
const WELL_FORMED_ID = /^[A-Za-z0-9+/_=-]+$/;
/** `inbox`, `drafts`, …: learn.microsoft.com/graph/api/resources/mailfolder. */
const WELL_KNOWN_FOLDER = /^(archive|deleteditems|drafts|inbox|junkemail|msgfolderroot|outbox|sentitems)$/i;

interface Mailbox {
  readonly kind: 'user' | 'group';
  readonly id: string;
  readonly members: readonly string[];
  readonly items: Map<string, string>;
}

export function createMailboxStore(): MailboxStore {
  /** By lower-case id and by lower-case user principal name. */
  const mailboxes = new Map<string, Mailbox>();
  const attachments = new Map<string, StoredAttachment[]>();

  function addMailbox(seed: MailboxSeed): void {
    const items = new Map(Object.entries(seed.items).flatMap(([type, ids]) => ids.map((id) => [id, type] as const)));
    const mailbox = { kind: seed.kind, id: seed.id, members: seed.members ?? [], items };
    mailboxes.set(seed.id.toLowerCase(), mailbox);
    if (seed.userPrincipalName !== undefined) mailboxes.set(seed.userPrincipalName.toLowerCase(), mailbox);
  }

  function reset(): void {
    mailboxes.clear();
    attachments.clear();
    for (const mailbox of SEED) addMailbox(mailbox);
  }

  function lookUp(path: GraphPath, anyItem: boolean): Lookup {
    const owner = path.root === 'groups' ? 'groups' : 'users';
    const mailbox = mailboxes.get(path.ownerId.toLowerCase());
    const isRightKind = mailbox?.kind === (owner === 'groups' ? 'group' : 'user');
    if (!anyItem && !isRightKind && !isErrorId(path.ownerId)) return { kind: 'noMailbox' };
    for (const { type, id } of anyItem ? [] : path.keys) {
      if (isErrorId(id) || (type === 'mailFolder' && WELL_KNOWN_FOLDER.test(id))) continue;
      if (!WELL_FORMED_ID.test(id)) return { kind: 'malformedId' };
      if (mailbox?.items.get(id) !== type) return { kind: 'noItem' };
    }
    const mailboxId = isRightKind ? mailbox.id : path.ownerId.toLowerCase();
    return { kind: 'found', item: { mailboxId, owner, type: path.type, id: path.keys.at(-1)?.id ?? '' } };
  }

  function admits(path: GraphPath, userId: string, anyItem: boolean): boolean {
    const mailbox = mailboxes.get(path.ownerId.toLowerCase());
    // One that is not there is for lookUp to say; where every id is found, all but users' own mailboxes are others'.
    if (mailbox === undefined) return !anyItem || path.root === 'groups' || path.ownerId === userId;
    return mailbox.kind === 'user' ? mailbox.id === userId : mailbox.members.includes(userId);
  }

  function keyOf(mailbox: string, itemId: string): string {
    return `${mailboxes.get(mailbox.toLowerCase())?.id ?? mailbox.toLowerCase()}\n${itemId}`;
  }

  reset();
  return {
    addMailbox,
    lookUp,
    admits,
    reset,
    createItem(mailboxId, type) {
      const id = newExchangeId();
      mailboxes.get(mailboxId.toLowerCase())?.items.set(id, type);
      return id;
    },
    attachments: (mailbox, itemId) => attachments.get(keyOf(mailbox, itemId)) ?? [],
    addAttachment(item, about) {
      const key = keyOf(item.mailboxId, item.id);
      const attachment = { id: newExchangeId(), ...about };
      attachments.set(key, [...(attachments.get(key) ?? []), attachment]);
      return attachment;
    },
    removeAttachment(item, id) {
      const key = keyOf(item.mailboxId, item.id);
      attachments.set(key, attachments.get(key)?.filter((attachment) => attachment.id !== id) ?? []);
    },
  };
}

/** An id as Exchange writes it: the URL-safe alphabet of base64, padding included. */
export function newExchangeId(): string {
  return `AAMkAG${randomBytes(24).toString('base64url')}=`;
}

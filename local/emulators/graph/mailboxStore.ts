import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { isErrorId } from '../errors/errorRequest.ts';
import type { GraphPath } from './graphPath.ts';
import { GraphError, itemNotFound } from './graphResponse.ts';
import { type MailboxSeed, SEED } from './seed.ts';

/** An attachment, sent in one call or through a session. */
export interface StoredAttachment {
  readonly id: string;
  readonly name: string | null;
  readonly contentType: string;
  /** Of the file, in bytes. */
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

export type MailboxStore = ReturnType<typeof createMailboxStore>;

type NewAttachment = Pick<StoredAttachment, 'name' | 'size' | 'sha256' | 'isInline' | 'contentId'> & {
  readonly contentType: string | null;
  /** Epoch milliseconds. */
  readonly addedAtMs: number;
};

/** Exchange ids are base64 with `-` and `_` instead of `/` and `+`; some stores give out the latter. */
const WELL_FORMED_ID = /^[A-Za-z0-9+/_=-]+$/;
/** `inbox`, `drafts`, …: learn.microsoft.com/graph/api/resources/mailfolder. */
const WELL_KNOWN_FOLDER = /^(archive|deleteditems|drafts|inbox|junkemail|msgfolderroot|outbox|sentitems)$/i;

/** Larger files are not kept: no single call can send one (learn.microsoft.com/graph/use-the-api). */
export const MAX_KEPT_BYTES = 4 * 1024 * 1024;
/** Small files have their own cache, because Graph shows them at any time and large ones would push them out. */
const SMALL_BYTES = 64 * 1024;
const SMALL_FILES_BYTES = 32 * 1024 * 1024;
const LARGE_FILES_BYTES = 64 * 1024 * 1024;

interface Mailbox {
  readonly kind: 'user' | 'group';
  readonly id: string;
  readonly members: readonly string[];
  readonly items: Map<string, string>;
}

export function createMailboxStore() {
  /** By lower-case id and by lower-case user principal name. */
  const mailboxes = new Map<string, Mailbox>();
  const attachments = new Map<string, StoredAttachment[]>();
  const smallFiles = createContentCache(SMALL_FILES_BYTES);
  const largeFiles = createContentCache(LARGE_FILES_BYTES);

  function addMailbox(seed: MailboxSeed): void {
    const items = new Map(Object.entries(seed.items).flatMap(([type, ids]) => ids.map((id) => [id, type] as const)));
    const mailbox = { kind: seed.kind, id: seed.id, members: seed.members ?? [], items };
    mailboxes.set(seed.id.toLowerCase(), mailbox);
    if (seed.userPrincipalName !== undefined) mailboxes.set(seed.userPrincipalName.toLowerCase(), mailbox);
  }

  function reset(): void {
    mailboxes.clear();
    for (const part of [attachments, smallFiles, largeFiles]) part.clear();
    for (const mailbox of SEED) addMailbox(mailbox);
  }

  /** Finds the item of a path under `users` or `groups`; with `anyItem` every id exists. @throws GraphError */
  function find(path: GraphPath, anyItem: boolean): ItemRef {
    const owner = path.root === 'groups' ? 'groups' : 'users';
    const mailbox = mailboxes.get(path.ownerId.toLowerCase());
    const isRightKind = mailbox?.kind === (owner === 'groups' ? 'group' : 'user');
    if (!anyItem && !isRightKind && !isErrorId(path.ownerId)) {
      throw owner === 'groups'
        ? new GraphError(404, 'Request_ResourceNotFound', `Resource '${path.ownerId}' does not exist.`)
        : new GraphError(404, 'ErrorInvalidUser', `The requested user '${path.ownerId}' is invalid.`);
    }
    for (const { type, id } of anyItem ? [] : path.keys) {
      if (isErrorId(id) || (type === 'mailFolder' && WELL_KNOWN_FOLDER.test(id))) continue;
      if (!WELL_FORMED_ID.test(id)) throw new GraphError(400, 'ErrorInvalidIdMalformed', 'Id is malformed.');
      if (mailbox?.items.get(id) !== type) throw itemNotFound();
    }
    const mailboxId = isRightKind ? mailbox.id : path.ownerId.toLowerCase();
    return { mailboxId, owner, type: path.type, id: path.keys.at(-1)?.id ?? '' };
  }

  /** False if the mailbox of a path is another user's, or that of a group without this user. */
  function admits(path: GraphPath, userId: string, anyItem: boolean): boolean {
    const mailbox = mailboxes.get(path.ownerId.toLowerCase());
    // `find` reports a missing mailbox. If every id exists, all mailboxes but the user's own belong to others.
    if (mailbox === undefined) return !anyItem || path.root === 'groups' || path.ownerId === userId;
    return mailbox.kind === 'user' ? mailbox.id === userId : mailbox.members.includes(userId);
  }

  function keyOf(mailbox: string, itemId: string): string {
    return `${mailboxes.get(mailbox.toLowerCase())?.id ?? mailbox.toLowerCase()}\n${itemId}`;
  }

  reset();
  return {
    addMailbox,
    find,
    admits,
    reset,
    /** Makes an item in an existing mailbox and returns its id. */
    createItem(mailboxId: string, type: string): string {
      const id = newExchangeId();
      mailboxes.get(mailboxId.toLowerCase())?.items.set(id, type);
      return id;
    },
    /** The mailbox by id or user principal name. */
    attachments: (mailbox: string, itemId: string): readonly StoredAttachment[] =>
      attachments.get(keyOf(mailbox, itemId)) ?? [],
    /** The bytes of an attachment. Undefined if it is large, or too many came after it. */
    content: (id: string) => smallFiles.get(id) ?? largeFiles.get(id),
    addAttachment(
      item: ItemRef,
      { contentType, addedAtMs, ...about }: NewAttachment,
      content: Buffer | undefined,
    ): StoredAttachment {
      const attachment = {
        id: newExchangeId(),
        ...about,
        contentType: contentType ?? 'application/octet-stream',
        lastModifiedDateTime: new Date(addedAtMs).toISOString(),
      };
      const key = keyOf(item.mailboxId, item.id);
      attachments.set(key, [...(attachments.get(key) ?? []), attachment]);
      if (content !== undefined && content.length <= MAX_KEPT_BYTES) {
        (content.length <= SMALL_BYTES ? smallFiles : largeFiles).set(attachment.id, content);
      }
      return attachment;
    },
    removeAttachment(item: ItemRef, id: string): void {
      const key = keyOf(item.mailboxId, item.id);
      attachments.set(key, attachments.get(key)?.filter((attachment) => attachment.id !== id) ?? []);
    },
  };
}

function createContentCache(maxSize: number): LRUCache<string, Buffer> {
  return new LRUCache({ maxSize, sizeCalculation: ({ length }) => length + 1 });
}

/** An id as Exchange writes it: the URL-safe alphabet of base64, padding included. */
export function newExchangeId(): string {
  return `AAMkAG${randomBytes(24).toString('base64url')}=`;
}

import { randomUUID } from 'node:crypto';
import type { SendEffect } from '../../errors/namedErrors.ts';
import { itemNotFound } from '../graphResponse.ts';
import { type ItemRef, type MailboxStore, newExchangeId, type StoredAttachment } from '../mailboxStore.ts';
import { type MessageMembers, propertyKey, type Recipient } from './message.ts';
import type { MailSettings } from './unsettled.ts';

/** Ends after so many reads, and not before a moment (epoch milliseconds). */
interface Lag {
  reads: number;
  readonly untilMs: number;
}

export interface StoredMessage {
  readonly mailboxId: string;
  /** A new one after each move. */
  id: string;
  immutableId: string;
  /** The name of a well-known folder, or an id. */
  folder: string;
  isDraft: boolean;
  members: MessageMembers;
  readonly internetMessageId: string;
  readonly conversationId: string;
  readonly createdAt: number;
  modifiedAt: number;
  sentAt?: number;
  /** It is sent, and still looks like a draft. */
  pending?: Lag & { readonly keepsImmutableId: boolean };
  /** It is in Sent Items, and lists do not show it. */
  unlisted?: Lag;
  mail?: SentMessage;
}

/** A message as it was when it left the mailbox. */
interface SentMessage {
  readonly message: StoredMessage;
  readonly attachments: readonly StoredAttachment[];
  readonly savedToSentItems: boolean;
  timesDelivered: number;
}

/** The error that is played on a send: its effect on the message, and how long it lasts. */
export interface PlayedSend {
  readonly effect: SendEffect;
  readonly reads: number | undefined;
  readonly ms: number | undefined;
}

export type MessageStore = ReturnType<typeof createMessageStore>;

/** PidTagDeleteAfterSubmit: MS-OXOMSG 2.2.3.9. */
const DELETE_AFTER_SUBMIT = propertyKey('Boolean 0x0E01');
const DEFAULT_LAG_READS = 3;

/** The messages of all mailboxes, and the mails that were sent. A message that nobody wrote is an empty draft. */
export function createMessageStore(mailboxes: MailboxStore, settings: () => MailSettings, now: () => number) {
  /** By `MailboxStore.keyOf`. */
  const messages = new Map<string, StoredMessage>();
  const removed = new Set<string>();
  const mails: SentMessage[] = [];

  function add(mailboxId: string, id: string, immutableId: string, members: MessageMembers): StoredMessage {
    const given = settings().keepsInternetMessageId ? members.internetMessageId : undefined;
    const message: StoredMessage = {
      mailboxId,
      id,
      immutableId,
      folder: 'drafts',
      isDraft: true,
      members,
      internetMessageId: given ?? `<${randomUUID()}@emulator.example>`,
      conversationId: newExchangeId('AAQkAG'),
      createdAt: now(),
      modifiedAt: now(),
    };
    mailboxes.addId(mailboxId, 'message', immutableId, immutableId);
    mailboxes.addId(mailboxId, 'message', id, immutableId);
    messages.set(mailboxes.keyOf(mailboxId, immutableId), message);
    return message;
  }

  function create(mailboxId: string, members: MessageMembers, folder = 'drafts'): StoredMessage {
    const message = add(mailboxId, newExchangeId(), newExchangeId('AAkALg'), members);
    message.folder = folder;
    return message;
  }

  /** The message of a path, whose existence the mailbox store has checked. @throws GraphError */
  function find({ mailboxId, id }: ItemRef): StoredMessage {
    if (removed.has(id)) throw itemNotFound();
    const message = messages.get(mailboxes.keyOf(mailboxId, id)) ?? add(mailboxId, id, id, {});
    settle(message);
    if (removed.has(id)) throw itemNotFound();
    return message;
  }

  function read(item: ItemRef): StoredMessage {
    const message = find(item);
    countRead(message.pending);
    return message;
  }

  /** Newest first. */
  function list(mailboxId: string, folder: string | undefined): StoredMessage[] {
    const listed = of(mailboxId).filter((message) => folder === undefined || message.folder === folder);
    const shown = listed.filter(({ unlisted }) => !isOn(unlisted));
    for (const { pending, unlisted } of listed) for (const lag of [pending, unlisted]) countRead(lag);
    return shown.reverse();
  }

  function of(mailbox: string): StoredMessage[] {
    const mailboxId = mailboxes.idOf(mailbox);
    const own = () => [...messages.values()].filter((message) => message.mailboxId === mailboxId);
    for (const message of own()) settle(message);
    return own();
  }

  function isOn(lag: Lag | undefined): boolean {
    return lag !== undefined && (lag.reads > 0 || lag.untilMs > now());
  }

  function countRead(lag: Lag | undefined): void {
    if (lag !== undefined && lag.reads > 0) lag.reads -= 1;
  }

  /** Sends a message as it is now. While `isDraft` stays true, a second call delivers it again. */
  function send(message: StoredMessage, savesToSentItems: boolean, played?: PlayedSend): void {
    const current = settings();
    if (message.mail !== undefined) {
      if (!current.secondSendDelivers) throw itemNotFound();
      message.mail.timesDelivered += 1;
      return;
    }
    const properties = message.members.singleValueExtendedProperties ?? [];
    const isDeleted = properties.some(({ id, value }) => propertyKey(id) === DELETE_AFTER_SUBMIT && value === 'true');
    message.sentAt = now();
    message.mail = {
      message: { ...message },
      attachments: mailboxes.attachments(message.mailboxId, message.immutableId),
      savedToSentItems: savesToSentItems && !(isDeleted && current.deletesAfterSubmit),
      timesDelivered: 1,
    };
    mails.push(message.mail);
    message.pending = {
      ...lagOf('draftLag', current.draftLagReads, current.draftLagMs, played),
      keepsImmutableId: current.immutableIdSurvivesSend && played?.effect !== 'newId',
    };
    message.unlisted = lagOf('sentItemsLag', current.sentItemsLagReads, current.sentItemsLagMs, played);
    settle(message);
  }

  function lagOf(effect: SendEffect, reads: number, ms: number, played: PlayedSend | undefined): Lag {
    if (played?.effect !== effect) return { reads, untilMs: now() + ms };
    const defaultReads = played.ms === undefined ? DEFAULT_LAG_READS : 0;
    return { reads: played.reads ?? defaultReads, untilMs: now() + (played.ms ?? 0) };
  }

  /** Completes a send that looks like a draft no longer. */
  function settle(message: StoredMessage): void {
    const { pending, mail, mailboxId, immutableId } = message;
    if (pending === undefined || isOn(pending)) return;
    delete message.pending;
    if (mail?.savedToSentItems !== true) {
      remove(message);
      return;
    }
    message.isDraft = false;
    if (!pending.keepsImmutableId) {
      message.immutableId = newExchangeId('AAkALg');
      mailboxes.addId(mailboxId, 'message', message.immutableId, mailboxes.firstIdOf(immutableId));
      forget(mailboxId, immutableId);
    }
    move(message, 'sentitems');
  }

  /** The item gets a new ordinary id, and the old one is unknown. */
  function move(message: StoredMessage, folder: string): void {
    const { mailboxId, id, immutableId } = message;
    message.folder = folder;
    message.modifiedAt = now();
    message.id = newExchangeId();
    mailboxes.addId(mailboxId, 'message', message.id, mailboxes.firstIdOf(immutableId));
    if (id !== immutableId) forget(mailboxId, id);
  }

  function forget(mailboxId: string, id: string): void {
    mailboxes.removeId(mailboxId, id);
    removed.add(id);
  }

  /** Removes a message for good. */
  function remove(message: StoredMessage): void {
    loseIfPending(message);
    messages.delete(mailboxes.keyOf(message.mailboxId, message.immutableId));
    for (const id of [message.id, message.immutableId]) forget(message.mailboxId, id);
  }

  function loseIfPending({ pending, mail }: StoredMessage): void {
    if (mail === undefined || !isOn(pending) || !settings().earlyDeleteLosesMail) return;
    mails.splice(mails.indexOf(mail), 1);
  }

  function update(message: StoredMessage, members: MessageMembers): void {
    message.members = { ...message.members, ...members };
    message.modifiedAt = now();
  }

  return {
    create,
    read,
    find,
    list,
    send,
    update,
    remove,
    delete(message: StoredMessage): void {
      loseIfPending(message);
      delete message.pending;
      move(message, 'deleteditems');
    },
    reset(): void {
      for (const part of [messages, removed]) part.clear();
      mails.length = 0;
    },
    all: (mailbox: string) =>
      of(mailbox).map((message) => ({
        ...describe(message),
        folder: message.folder,
        isDraft: message.isDraft,
        attachments: mailboxes.attachments(message.mailboxId, message.immutableId),
      })),
    sentMails: (mailbox: string) =>
      mails
        .filter(({ message }) => message.mailboxId === mailboxes.idOf(mailbox))
        .map(({ message, attachments, savedToSentItems, timesDelivered }) => ({
          ...describe(message),
          sentAt: message.sentAt,
          savedToSentItems,
          timesDelivered,
          /** `bytes` is undefined if the file is large, or too many came after it. */
          attachments: attachments.map((one) => ({ ...one, bytes: mailboxes.content(one.id) })),
        })),
    addMessage(mailbox: string, members: MessageMembers, { folder = 'drafts', isDraft = true } = {}): string {
      const message = create(mailboxes.idOf(mailbox), members, folder);
      message.isDraft = isDraft;
      return message.immutableId;
    },
    changeMessage(mailbox: string, id: string, members: MessageMembers): void {
      update(find({ mailboxId: mailboxes.idOf(mailbox), owner: 'users', type: 'message', id }), members);
    },
  };

  function describe({ mailboxId, id, immutableId, internetMessageId, conversationId, members }: StoredMessage) {
    return {
      id,
      immutableId,
      internetMessageId,
      conversationId,
      subject: members.subject ?? null,
      from: addressesOf([members.from ?? members.sender ?? {}])[0] ?? mailboxes.addressOf(mailboxId),
      to: addressesOf(members.toRecipients),
      cc: addressesOf(members.ccRecipients),
      bcc: addressesOf(members.bccRecipients),
      replyTo: addressesOf(members.replyTo),
      body: members.body ?? null,
      internetMessageHeaders: members.internetMessageHeaders ?? [],
      extendedProperties: members.singleValueExtendedProperties ?? [],
    };
  }
}

export function addressesOf(recipients: readonly Recipient[] | null | undefined): string[] {
  return (recipients ?? []).flatMap(({ emailAddress }) => emailAddress?.address ?? []);
}

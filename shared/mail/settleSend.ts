import { type Clock, systemClock } from '../common/clock.ts';
import type { Deadline } from '../common/deadline.ts';
import { ServiceError } from '../errors.ts';
import { GraphError } from '../graph/graphError.ts';
import type { GraphResponse } from '../graph/graphResponse.ts';
import type { MessagesApi } from '../graph/messagesApi.ts';
import type { Note } from '../idempotency/idempotencyStore.ts';
import { markerFilter } from './draftMarker.ts';

/** By what a mail can be found again. */
export interface MailIds {
  readonly id: string;
  readonly internetMessageId: string;
  readonly conversationId: string;
}

/** A mail that is about to be sent, or may have been. */
export interface Sending extends MailIds {
  /** How often /send was called for the draft. */
  readonly sends: number;
  /** Epoch milliseconds of the last call. */
  readonly sentAt: number;
}

export function toNote({ id, internetMessageId, conversationId, sends, sentAt }: Sending): Note {
  return { id, internetMessageId, conversationId, sends, sentAt };
}

/** Undefined: nothing that may have been sent was noted. */
export function readNote(note: Note | undefined): Sending | undefined {
  const { id, internetMessageId, conversationId, sends, sentAt } = note ?? {};
  const isWhole = typeof sends === 'number' && typeof sentAt === 'number' && sends > 0;
  if (!isWhole || typeof id !== 'string') return undefined;
  return { id, internetMessageId: String(internetMessageId), conversationId: String(conversationId), sends, sentAt };
}

export interface SettleOptions {
  readonly messages: MessagesApi;
  readonly callerName: string;
  /** Not the request's: what was sent is settled also if the caller has gone away. */
  readonly deadline: Deadline;
  /** How long a draft must stay unsent before it is sent once more. Exchange shows isDraft for a while after it has sent. */
  readonly sendAgainAfterMs: number;
  readonly writeNote: (note: Note) => Promise<void>;
  readonly clock?: Clock;
}

/** One call of /send, and one more if the first is known to have sent nothing. */
const MAX_SENDS = 2;
const POLL_MS = 1_000;
/** Unsettled: no source says when a copy is in Sent Items at the latest; public code waits for up to two minutes. */
const SENT_ITEMS_LAG_MS = 120_000;

/**
 * Sends a draft. Returns once it is known to be sent.
 *
 * @throws GraphError, ServiceError: Graph has sent nothing and will not; the draft is still there
 * @throws ServiceError SendOutcomeUnknown
 */
export async function sendAndSettle(ids: MailIds, options: SettleOptions): Promise<void> {
  const { messages, deadline, writeNote, clock = systemClock } = options;
  const sending: Sending = { ...ids, sends: 1, sentAt: clock.now() };
  await writeNote(toNote(sending));
  const attempt = await trySend(messages, ids.id, deadline);
  if (attempt.kind === 'sent') return;
  if (attempt.kind === 'refused') throw new GraphError(attempt.response);
  await settle(sending, attempt.error, options);
}

/**
 * Finds out whether a mail was sent whose response was lost. Sends the draft once more if it has stayed unsent.
 *
 * @param error what is thrown if the mail is known to be unsent
 * @throws as sendAndSettle does
 */
export async function settle(sending: Sending, error: unknown, options: SettleOptions): Promise<void> {
  const { messages, deadline, sendAgainAfterMs, writeNote, clock = systemClock } = options;
  let { sends, sentAt } = sending;
  let lastError = error;
  for (;;) {
    const state = await look(sending, options);
    if (state === 'sent') return;
    const waitedMs = clock.now() - sentAt;
    if (state === 'draft' && waitedMs >= sendAgainAfterMs) {
      if (sends >= MAX_SENDS) throw lastError;
      sends += 1;
      sentAt = clock.now();
      await writeNote(toNote({ ...sending, sends, sentAt }));
      const attempt = await trySend(messages, sending.id, deadline);
      if (attempt.kind === 'sent') return;
      if (attempt.kind === 'refused') throw new GraphError(attempt.response);
      lastError = attempt.error;
      continue;
    }
    const isLate = state === 'gone' && waitedMs >= SENT_ITEMS_LAG_MS;
    if (isLate || deadline.remainingMs() < 2 * POLL_MS) throw outcomeUnknown(lastError);
    await clock.sleep(POLL_MS, deadline.signal).catch(() => {
      throw outcomeUnknown(lastError);
    });
  }
}

export function outcomeUnknown(cause: unknown): ServiceError {
  const message =
    'Graph did not say whether it has sent this mail. It is not sent again. Look at Sent Items of the mailbox before you send it once more.';
  return new ServiceError('SendOutcomeUnknown', message, { cause });
}

type SendAttempt =
  | { readonly kind: 'sent' }
  /** Graph has refused it for good. */
  | { readonly kind: 'refused'; readonly response: GraphResponse }
  | { readonly kind: 'uncertain'; readonly error: unknown };

async function trySend(messages: MessagesApi, id: string, deadline: Deadline): Promise<SendAttempt> {
  try {
    const response = await messages.send(id, deadline);
    if (response.status < 300) return { kind: 'sent' };
    return isRefusalOfMail(response)
      ? { kind: 'refused', response }
      : { kind: 'uncertain', error: new GraphError(response) };
  } catch (error) {
    return { kind: 'uncertain', error };
  }
}

/**
 * A 4xx says that nothing was sent, except those that have come for mails that went out, and 404, which also follows a sending
 * (send-facts, 3.4).
 */
export function isRefusalOfMail({ status }: GraphResponse): boolean {
  return status >= 400 && status < 500 && ![404, 408, 409, 429].includes(status);
}

type MailState = 'sent' | 'draft' | 'gone' | 'unknown';

/** The draft by its id, then Sent Items by the Message-ID, then by marker and conversation, which Exchange never changes. */
async function look(
  { id, internetMessageId, conversationId }: MailIds,
  { messages, callerName, deadline }: SettleOptions,
): Promise<MailState> {
  try {
    const draft = await messages.read(id, '?$select=id,isDraft', deadline);
    if (draft !== undefined) return draft['isDraft'] === false ? 'sent' : 'draft';
    const byMessageId = `internetMessageId eq '${internetMessageId.replaceAll("'", "''")}'`;
    if ((await messages.findSent(byMessageId, deadline)).length > 0) return 'sent';
    const byMarker = `${markerFilter(callerName)} and conversationId eq '${conversationId.replaceAll("'", "''")}'`;
    return (await messages.findSent(byMarker, deadline)).length > 0 ? 'sent' : 'gone';
  } catch {
    return 'unknown';
  }
}

import { authorizeRecipients, authorizeSenders } from '../access/authorizeMail.ts';
import type { AuthenticatedCaller } from '../access/caller.ts';
import { startDeadline } from '../common/deadline.ts';
import type { Dependencies, RequestContext } from '../dependencies.ts';
import { ServiceError } from '../errors.ts';
import { GraphError } from '../graph/graphError.ts';
import type { GraphMessage } from '../graph/messagesApi.ts';
import { type Attempt, withIdempotencyKey } from '../idempotency/withIdempotencyKey.ts';
import type { GraphPath } from '../paths/target.ts';
import type { ResponseData } from '../server/response.ts';
import {
  buildDraft,
  deleteUnsent,
  type RequestedMail,
  readRequestedMail,
  sameMail,
  withCleanUp,
} from './createDraft.ts';
import { messageBody } from './draftBody.ts';
import { isOurs, markerExpand } from './draftMarker.ts';
import { RECIPIENT_MEMBERS, recipientsOf, sendersOf } from './draftRecipients.ts';
import { type MailContext, messagesOf, openMail } from './mailContext.ts';
import { isRefusalOfMail, type MailIds, outcomeUnknown, readNote, sendAndSettle, settle } from './settleSend.ts';

/**
 * `POST {mailbox}/sendMail`: sends a mail with files of any size exactly once, through a draft. Returns 202 without a body; with
 * `Prefer: return=representation` the ids of the mail.
 *
 * @throws ServiceError InvalidMessage, CallerNotAllowed, SendOutcomeUnknown and others of the stages; GraphError
 */
export async function sendMail(
  request: RequestContext,
  caller: AuthenticatedCaller,
  path: GraphPath,
  dependencies: Dependencies,
): Promise<ResponseData> {
  const mail = openMail(request, caller, path, 'sendMail', dependencies);
  const reservation = dependencies.jsonMemory.open();
  let sent: MailIds | undefined;
  try {
    const requested = await readRequestedMail(mail, reservation);
    const response = await withIdempotencyKey(
      request,
      caller,
      sameMail(mail, requested),
      dependencies,
      async (attempt) => {
        const earlier = readNote(attempt.note);
        if (earlier !== undefined) {
          await settled(mail, attempt, earlier);
          return sentResponse(mail, earlier);
        }
        if (attempt.note?.['isDirect'] === 1) throw outcomeUnknown(undefined);
        const direct = directBody(requested);
        if (direct !== undefined) return await sendDirectly(mail, direct, attempt);
        const draft = await buildDraft(mail, requested);
        sent = await sendChecked(mail, draft, attempt);
        return sentResponse(mail, sent);
      },
    );
    if (sent !== undefined && requested.kind === 'message' && !requested.saveToSentItems) {
      void removeSentCopy(mail, sent).catch(() => {});
    }
    return response;
  } finally {
    reservation.release();
  }
}

/**
 * `POST {mailbox}/messages/{id}/send`: sends a draft that this caller created through the proxy.
 *
 * @throws ServiceError MessageNotYours, MessageNotDraft, CallerNotAllowed, SendOutcomeUnknown; GraphError
 */
export async function sendDraft(
  request: RequestContext,
  caller: AuthenticatedCaller,
  path: GraphPath,
  dependencies: Dependencies,
): Promise<ResponseData> {
  const mail = openMail(request, caller, path, 'sendMail', dependencies);
  const same = ['sendDraft', mail.grant.owner, path.version, path.itemPath];
  return withIdempotencyKey(request, caller, same, dependencies, async (attempt) => {
    const earlier = readNote(attempt.note);
    if (earlier !== undefined) {
      await settled(mail, attempt, earlier, false);
      return sentResponse(mail, earlier);
    }
    const draft = await readOwnMessage(mail, messageIdIn(path));
    if (draft['isDraft'] !== true) throw notDraft();
    return sentResponse(mail, await sendChecked(mail, draft, attempt, false));
  });
}

/** The members that show the state of a message, and what the policy is asked about. */
const STATE_MEMBERS = [
  'id',
  'isDraft',
  'internetMessageId',
  'conversationId',
  'subject',
  'hasAttachments',
  'createdDateTime',
  'sentDateTime',
] as const;

/**
 * `GET {mailbox}/messages/{id}`: the state of a message that this caller created through the proxy, and nothing else of it.
 *
 * @throws ServiceError MessageNotYours; GraphError
 */
export async function getMessage(
  request: RequestContext,
  caller: AuthenticatedCaller,
  path: GraphPath,
  dependencies: Dependencies,
): Promise<ResponseData> {
  const mail = openMail(request, caller, path, 'createDraft', dependencies);
  const message = await readOwnMessage(mail, messageIdIn(path));
  const shown = Object.fromEntries(STATE_MEMBERS.map((name) => [name, message[name]]));
  return { status: 200, headers: {}, body: JSON.stringify(shown) };
}

/**
 * `DELETE {mailbox}/messages/{id}`: deletes a draft that this caller created through the proxy.
 *
 * @throws ServiceError MessageNotYours, MessageNotDraft; GraphError
 */
export async function deleteDraft(
  request: RequestContext,
  caller: AuthenticatedCaller,
  path: GraphPath,
  dependencies: Dependencies,
): Promise<ResponseData> {
  const mail = openMail(request, caller, path, 'createDraft', dependencies);
  const { id, isDraft } = await readOwnMessage(mail, messageIdIn(path));
  if (isDraft !== true) throw notDraft();
  await (await messagesOf(mail)).remove(id, request.deadline);
  return { status: 204, headers: {}, body: '' };
}

/** parsePath admits a message directly in a mailbox only. */
function messageIdIn({ itemPath }: GraphPath): string {
  const [, encoded = ''] = /^messages(?:\/|\(')(.*?)(?:'\))?$/.exec(itemPath) ?? [];
  return decodeURIComponent(encoded);
}

/** @throws ServiceError MessageNotYours; GraphError of a message that does not exist */
async function readOwnMessage(mail: MailContext, id: string): Promise<GraphMessage> {
  const messages = await messagesOf(mail);
  const select = [...STATE_MEMBERS, ...RECIPIENT_MEMBERS].join(',');
  const message = await messages.read(id, `?$select=${select}&$expand=${encodeURIComponent(markerExpand())}`);
  if (message === undefined || !isOurs(message, mail.callerName)) {
    throw new ServiceError('MessageNotYours', 'This caller did not create this message through the proxy.');
  }
  return message;
}

function notDraft(): ServiceError {
  return new ServiceError('MessageNotDraft', 'The message is not a draft any more: it was sent.');
}

/** A mail is not sent so late that nobody could find out whether it was. */
const MIN_SEND_MS = 10_000;

/**
 * Checks the draft as Graph has it, then sends it.
 *
 * @param isOwned whether the draft is deleted if it cannot be sent
 */
async function sendChecked(
  mail: MailContext,
  { id }: GraphMessage,
  attempt: Attempt,
  isOwned = true,
): Promise<MailIds> {
  const { policy } = mail.dependencies;
  const check = async () => {
    const draft = await readOwnMessage(mail, id);
    const recipients = recipientsOf(draft);
    const senders = sendersOf(draft);
    if (recipients === undefined || senders === undefined) {
      throw new ServiceError('GraphAnswerInvalid', 'Graph did not return the recipients of the draft.');
    }
    if (recipients.length === 0) {
      const message = 'The message has no recipient in toRecipients, ccRecipients or bccRecipients.';
      throw new ServiceError('InvalidMessage', message, { target: '/toRecipients' });
    }
    mail.request.logEntry.recipients = recipients.length;
    authorizeRecipients(policy, mail.caller, recipients);
    // Exchange fills in the mailbox of the path for both; who differs was named by somebody.
    const [first, ...others] = new Set(senders.map(({ address }) => address.toLowerCase()));
    if (first !== undefined && others.length > 0) authorizeSenders(policy, mail.caller, mail.grant.owner, senders);
    if (mail.request.deadline.remainingMs() < MIN_SEND_MS) {
      throw new ServiceError('TimedOut', 'The time allowed for the request passed before the mail could be sent.');
    }
    mail.request.deadline.signal.throwIfAborted();
    return {
      id: draft.id,
      internetMessageId: String(draft['internetMessageId']),
      conversationId: String(draft['conversationId']),
    };
  };
  const ids = isOwned ? await withCleanUp(mail, { id }, check) : await check();
  await settled(mail, attempt, ids, isOwned);
  return ids;
}

/** Sends, or settles what an earlier request has sent, on a deadline that the caller cannot cancel. */
async function settled(
  mail: MailContext,
  { writeNote }: Attempt,
  ids: MailIds | NonNullable<ReturnType<typeof readNote>>,
  isOwned = true,
): Promise<void> {
  const { request, callerName, dependencies } = mail;
  const deadline = startDeadline(Math.max(0, request.deadline.remainingMs()));
  try {
    const messages = await messagesOf(mail, deadline);
    const { sendSettleMs: sendAgainAfterMs } = dependencies.config;
    const options = { messages, callerName, deadline, sendAgainAfterMs, writeNote };
    await ('sends' in ids ? settle(ids, unsent(), options) : sendAndSettle(ids, options));
  } catch (error) {
    const isUnknown = error instanceof ServiceError && error.code === 'SendOutcomeUnknown';
    if (isUnknown) throw error;
    // Known to be unsent: a repetition starts from the beginning.
    if (isOwned) await deleteUnsent(mail, ids.id).catch(() => {});
    await writeNote({}).catch(() => {});
    throw error;
  } finally {
    deadline.end();
  }
}

function unsent(): ServiceError {
  return new ServiceError('GraphUnavailable', 'Graph did not send the mail. Send the request again.');
}

/** The request to Graph if one sendMail carries the mail and no copy is wanted: then there is nothing to delete afterwards. */
function directBody(requested: RequestedMail): string | undefined {
  if (requested.kind === 'mime' || requested.saveToSentItems) return undefined;
  const body = messageBody(requested.message.members, requested.message.attachments);
  return body.rest.length > 0 ? undefined : `{"message":${body.json},"saveToSentItems":false}`;
}

/**
 * Without a draft and without a copy nothing can show what became of a lost response.
 *
 * @throws ServiceError SendOutcomeUnknown; GraphError if Graph has refused the mail
 */
async function sendDirectly(mail: MailContext, body: string, { writeNote }: Attempt): Promise<ResponseData> {
  const deadline = startDeadline(Math.max(0, mail.request.deadline.remainingMs()));
  try {
    mail.request.deadline.signal.throwIfAborted();
    const messages = await messagesOf(mail, deadline);
    await writeNote({ isDirect: 1 });
    const response = await messages.sendMail(body, deadline).catch((error) => {
      throw outcomeUnknown(error);
    });
    if (response.status < 300) return { status: 202, headers: {}, body: '' };
    const error = new GraphError(response);
    // No draft: 404 is about the mailbox.
    if (!isRefusalOfMail(response) && response.status !== 404) throw outcomeUnknown(error);
    await writeNote({}).catch(() => {});
    throw error;
  } finally {
    deadline.end();
  }
}

function sentResponse(mail: MailContext, { id, internetMessageId, conversationId }: MailIds): ResponseData {
  const wants = /(?:^|[,;\s])return\s*=\s*representation(?:$|[,;\s])/i;
  if (!wants.test(mail.request.request.headers.get('prefer') ?? '')) return { status: 202, headers: {}, body: '' };
  const headers = { 'preference-applied': 'return=representation' };
  return { status: 202, headers, body: JSON.stringify({ id, internetMessageId, conversationId }) };
}

/** The longest time that the copy of a sent mail may take to lose isDraft. */
const COPY_TIMEOUT_MS = 60_000;
const COPY_POLL_MS = 2_000;

/** Deletes the copy of a mail that was not to be saved, once it is known as sent: deleted before, the mail could be lost. */
async function removeSentCopy(mail: MailContext, { id, internetMessageId }: MailIds): Promise<void> {
  const deadline = startDeadline(COPY_TIMEOUT_MS);
  try {
    const messages = await messagesOf(mail, deadline);
    while (!deadline.signal.aborted) {
      const copy = await messages.read(id, '?$select=id,isDraft', deadline);
      const found = copy ?? (await messages.findSent(`internetMessageId eq '${internetMessageId}'`, deadline))[0];
      if (found !== undefined && found['isDraft'] !== true) {
        await messages.remove(
          found.id,
          deadline,
          mail.dependencies.config.graphOrigin === 'https://graph.microsoft.com',
        );
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, COPY_POLL_MS));
    }
  } finally {
    deadline.end();
  }
}

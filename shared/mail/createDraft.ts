import { hash } from 'node:crypto';
import { authorizeRecipients, authorizeSenders } from '../access/authorizeMail.ts';
import { authorizeRequest } from '../access/authorizeRequest.ts';
import type { AuthenticatedCaller } from '../access/caller.ts';
import { startDeadline } from '../common/deadline.ts';
import { maxFileBytes } from '../config/config.ts';
import type { Dependencies, RequestContext } from '../dependencies.ts';
import { ServiceError } from '../errors.ts';
import { createAttachmentsApi } from '../graph/attachmentsApi.ts';
import { GraphError } from '../graph/graphError.ts';
import type { GraphMessage } from '../graph/messagesApi.ts';
import { withIdempotencyKey } from '../idempotency/withIdempotencyKey.ts';
import type { GraphPath, ItemTarget } from '../paths/target.ts';
import { checkMediaType } from '../server/readBody.ts';
import type { RequestHeaders } from '../server/request.ts';
import { requireBodyFits } from '../server/requireBodyFits.ts';
import type { ResponseData } from '../server/response.ts';
import type { FileInfo } from '../sources/fileInfo.ts';
import type { JsonReservation } from '../sources/jsonMemory.ts';
import { createMemorySource } from '../sources/memorySource.ts';
import type { SourceRule } from '../sources/sourceRules.ts';
import { openUrl, type UrlSource } from '../sources/urlSource.ts';
import { attachFile } from '../transfer/attachFile.ts';
import { attachmentJson, createInternetMessageId, draftBody } from './draftBody.ts';
import { callerMarker } from './draftMarker.ts';
import { type MailContext, messagesOf, openMail } from './mailContext.ts';
import type { MessageAttachment } from './messageAttachment.ts';
import { readMimeMessage } from './mimeMessage.ts';
import { type MailMessage, type MessageLimits, readDraft, readSendMail } from './readMessage.ts';

/** What a request asks to send or to keep as a draft. */
export type RequestedMail =
  | { readonly kind: 'message'; readonly message: MailMessage; readonly saveToSentItems: boolean }
  /** MIME in base64. Who gets it is known once Graph has read it. */
  | { readonly kind: 'mime'; readonly base64: string };

/**
 * `POST {mailbox}/messages`: creates a draft with files of any size. Returns 201 with the message as Graph gives it.
 *
 * @throws ServiceError InvalidMessage, CallerNotAllowed and others of the stages; GraphError
 */
export async function createDraft(
  request: RequestContext,
  caller: AuthenticatedCaller,
  path: GraphPath,
  dependencies: Dependencies,
): Promise<ResponseData> {
  const mail = openMail(request, caller, path, 'createDraft', dependencies);
  const reservation = dependencies.jsonMemory.open();
  try {
    const requested = await readRequestedMail(mail, reservation);
    return await withIdempotencyKey(request, caller, sameMail(mail, requested), dependencies, async () => {
      const draft = await buildDraft(mail, requested);
      return { status: 201, headers: {}, body: JSON.stringify(withoutFileBytes(draft)) };
    });
  } finally {
    reservation.release();
  }
}

/**
 * Reads and checks all that can be checked before anything is created.
 *
 * @throws ServiceError InvalidMessage, CallerNotAllowed, SourceNotAllowed, RequestBodyTooLarge, UnsupportedMediaType, InstanceBusy
 */
export async function readRequestedMail(mail: MailContext, reservation: JsonReservation): Promise<RequestedMail> {
  const { request, caller, grant, operation, dependencies } = mail;
  const { body, headers } = request.request;
  const { config, policy } = dependencies;
  const { signal } = request.deadline;
  if (isMime(headers)) {
    const base64 = await readMimeMessage(body, signal);
    request.logEntry.endStage('body');
    return { kind: 'mime', base64 };
  }
  checkMediaType(headers);
  requireBodyFits('The JSON', body.declaredBytes, config.maxRequestBodyBytes);
  const limits: MessageLimits = {
    maxJsonAttachmentBytes: config.maxJsonAttachmentBytes,
    maxFileBytes: maxFileBytes('message', config),
    maxMessageBytes: config.maxMessageBytes,
  };
  const read =
    operation === 'sendMail'
      ? await readSendMail(body, limits, reservation, signal)
      : { message: await readDraft(body, limits, reservation, signal), saveToSentItems: true };
  request.logEntry.endStage('body');
  authorizeRecipients(policy, caller, read.message.recipients);
  authorizeSenders(policy, caller, grant.owner, read.message.senders);
  for (const attachment of read.message.attachments) authorizeAttachment(mail, attachment);
  request.logEntry.sizeBytes = read.message.sizeBytes;
  request.logEntry.recipients = read.message.recipients.length;
  request.logEntry.files = read.message.attachments.length;
  return { kind: 'message', ...read };
}

function isMime(headers: RequestHeaders): boolean {
  return /^text\/plain\s*(?:;|$)/i.test(headers.get('content-type') ?? '');
}

/** @returns the rule of the policy that allows the source of a file by URL */
function authorizeAttachment(
  { request, caller, path, operation, dependencies: { policy } }: MailContext,
  attachment: MessageAttachment,
): SourceRule | undefined {
  if (attachment.kind === 'other') return undefined;
  const { content } = attachment;
  const sizeBytes = content.kind === 'bytes' ? content.sizeBytes : undefined;
  const sourceUrl = content.kind === 'address' ? content.url : undefined;
  return authorizeRequest(policy, caller, path, { operation, sizeBytes, sourceUrl }, request.logEntry).source;
}

/** What makes two requests for a mail the same. Files in the request count by their bytes. */
export function sameMail({ operation, path, grant }: MailContext, requested: RequestedMail): readonly unknown[] {
  const about = [operation, grant.owner, path.version, path.itemPath];
  if (requested.kind === 'mime') return [...about, requested.base64];
  const { members, attachments } = requested.message;
  return [...about, requested.saveToSentItems, members, attachments.map(identityOf)];
}

function identityOf(attachment: MessageAttachment): unknown {
  if (attachment.kind === 'other') return attachment.json;
  const { file, content } = attachment;
  return content.kind === 'address'
    ? [file, content.url.href]
    : [file, hash('sha256', Buffer.concat(content.chunks), 'hex')];
}

/**
 * Creates the draft, then attaches the files that did not fit into that request, one at a time. If anything fails, the draft is
 * deleted.
 *
 * @throws ServiceError, GraphError of every stage
 */
export async function buildDraft(mail: MailContext, requested: RequestedMail): Promise<GraphMessage> {
  const { grant, path, callerName } = mail;
  const messages = await messagesOf(mail);
  const own = { internetMessageId: createInternetMessageId(grant.owner.id), callerName };
  if (requested.kind === 'mime') {
    // A draft made of MIME gets its marker afterwards: the text goes to Graph unchanged.
    const draft = await messages.create({ body: requested.base64, contentType: 'text/plain' }, path.itemPath);
    return withCleanUp(mail, draft, async () => {
      await messages.setProperty(draft.id, callerMarker(callerName));
      return draft;
    });
  }
  const { json, rest } = draftBody(requested.message, own);
  await checkTotalSize(mail, requested.message);
  const draft = await messages.create({ body: json }, path.itemPath);
  return withCleanUp(mail, draft, async () => {
    for (const attachment of rest) await attachToDraft(mail, draft.id, attachment);
    return draft;
  });
}

/** Opens each source before anything is created, so that a bad one, or a mail that is too large, costs nothing. */
async function checkTotalSize(mail: MailContext, { attachments, sizeBytes }: MailMessage): Promise<void> {
  const { maxMessageBytes } = mail.dependencies.config;
  let total = sizeBytes;
  for (const attachment of attachments) {
    if (attachment.kind === 'other' || attachment.content.kind === 'bytes') continue;
    const source = await openSourceOf(mail, attachment);
    source.close();
    total += source.sizeBytes;
    if (total <= maxMessageBytes) continue;
    const message = `A message may have at most ${maxMessageBytes} bytes (MAX_MESSAGE_BYTES); with this file it has ${total}. Send links to large files.`;
    const target = `${attachment.pointer}/sourceUrl`;
    throw new ServiceError('InvalidMessage', message, {
      target,
      details: [{ code: 'SizeTooLarge', message, target }],
    });
  }
}

async function attachToDraft(mail: MailContext, draftId: string, attachment: MessageAttachment): Promise<void> {
  const { request, path, grant, tokens, dependencies } = mail;
  const { info, deadline, logEntry } = request;
  const { config, graphHttp, concurrencyLimiter, uploadClient } = dependencies;
  const { version } = path;
  const itemPath = `messages/${encodeURIComponent(draftId)}`;
  const target: ItemTarget = { kind: 'message', version, owner: grant.owner, itemPath };
  const item = createAttachmentsApi({
    graphOrigin: config.graphOrigin,
    graphHttp: await graphHttp(),
    target,
    call: { ...info, wantsImmutableIds: true },
    context: { tokens, deadline, logEntry },
  });
  if (attachment.kind === 'other') {
    const response = await item.addAttachment(JSON.stringify(attachmentJson(attachment)), async () => false);
    if (response.status >= 300) throw new GraphError(response);
    return;
  }
  const { file, content } = attachment;
  const url = content.kind === 'address' ? await openSourceOf(mail, attachment) : undefined;
  const source = content.kind === 'bytes' ? createMemorySource(content.chunks) : url;
  if (source === undefined) throw new TypeError('The file has no source.');
  const type = url?.contentType;
  const described: FileInfo = {
    ...(type !== undefined && { contentType: type }),
    ...file,
    sizeBytes: source.sizeBytes,
  };
  try {
    await attachFile(
      item,
      {
        target,
        attachment: described,
        createdAt: new Date().toISOString(),
        source,
        onFullySent: () => {},
        earlier: undefined,
      },
      {
        client: uploadClient,
        hosts: config.uploadHosts,
        concurrencyLimiter,
        deadline,
        logEntry,
        tokens,
        kind: 'message',
        retryTimeoutMs: config.attachTimeoutMs,
      },
    );
  } finally {
    url?.close();
  }
}

/** @throws ServiceError of the source; CallerNotAllowed, InvalidMessage if the source is too large */
async function openSourceOf(
  mail: MailContext,
  attachment: Extract<MessageAttachment, { readonly kind: 'file' }>,
): Promise<UrlSource> {
  const { request, caller, path, operation, dependencies } = mail;
  const { config, policy } = dependencies;
  const { file, content, pointer } = attachment;
  const rule = authorizeAttachment(mail, attachment);
  if (content.kind !== 'address' || rule === undefined) throw new TypeError('The policy has allowed no source.');
  const maxBytes = maxFileBytes('message', config);
  const checkSize = (sizeBytes: number) => {
    if (sizeBytes > maxBytes) {
      const message = `A file may have at most ${maxBytes} bytes; the file at this sourceUrl has ${sizeBytes}.`;
      const target = `${pointer}/sourceUrl`;
      throw new ServiceError('InvalidMessage', message, {
        target,
        details: [{ code: 'SizeTooLarge', message, target }],
      });
    }
    authorizeRequest(policy, caller, path, { operation, sizeBytes, sourceUrl: content.url }, request.logEntry);
  };
  const { isDevelopment } = config;
  return openUrl(content.url, rule, { isDevelopment, checkSize, declared: file }, request.deadline.signal);
}

/** The time for deleting a draft that is not wanted any more, also if the caller has gone away. */
const CLEAN_UP_MS = 5_000;

/** Deletes the draft if the work fails. What the work throws matters more than a draft that is left. */
export async function withCleanUp<T>(mail: MailContext, draft: GraphMessage, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await deleteUnsent(mail, draft.id).catch(() => {});
    throw error;
  }
}

/** Deletes a draft while it is one: the copy of a mail that was sent is the only proof. */
export async function deleteUnsent(mail: MailContext, id: string): Promise<void> {
  const deadline = startDeadline(CLEAN_UP_MS);
  try {
    const messages = await messagesOf(mail, deadline);
    const current = await messages.read(id, '?$select=id,isDraft', deadline);
    if (current?.['isDraft'] === true) await messages.remove(id, deadline);
  } finally {
    deadline.end();
  }
}

/** Without what only the proxy is to know, and without the bytes of files that were inside the request. */
function withoutFileBytes(draft: GraphMessage): GraphMessage {
  const { attachments: _, singleValueExtendedProperties: __, ...members } = draft;
  return members;
}

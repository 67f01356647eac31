import { foldCase } from '../access/policy.ts';
import { type Clock, systemClock } from '../common/clock.ts';
import { type Deadline, startPart } from '../common/deadline.ts';
import { isObject } from '../common/isObject.ts';
import { ServiceError } from '../errors.ts';
import type { ItemKind } from '../paths/entityModel.ts';
import { graphPath, type ItemTarget } from '../paths/target.ts';
import type { FileInfo } from '../sources/fileInfo.ts';
import type { GraphCall } from './graphClient.ts';
import { GraphError } from './graphError.ts';
import type { CallContext, GraphHttp } from './graphHttp.ts';
import { type GraphResponse, parseBody } from './graphResponse.ts';
import { readUploadSession, type UploadSession } from './uploadSession.ts';

/** An attachment as Graph shows it, without its bytes. */
export interface GraphAttachment {
  readonly id: string;
  readonly [member: string]: unknown;
}

/** The item that a file is attached to, for one request of ours. Every call keeps inside the deadline and the mailbox's places. */
export interface AttachmentsApi {
  readonly mailbox: string;
  /**
   * The URL of one of its attachments, in the form of the Location that ends an upload.
   * @param uploadUrl of the session that attached it, which says how Outlook writes the item
   */
  locationOf(attachmentId: string, uploadUrl?: string): string;
  /** @throws GraphError for an answer that is no uploadSession, and what graphHttp throws */
  openSession(attachment: FileInfo): Promise<UploadSession>;
  /** Graph's answer to a POST of the whole file. @param isDone looks whether Graph has taken it all the same, before it is sent again */
  addAttachment(json: string, isDone: () => Promise<boolean>): Promise<GraphResponse>;
  /**
   * All of them, over as many pages as Graph makes of the list.
   * @throws GraphError for an answer that is no list, GraphAnswerInvalid for one that does not end, and what graphHttp throws
   */
  listAttachments(): Promise<readonly GraphAttachment[]>;
  /** Takes READ_BACK_TIMEOUT_MS at most. @throws GraphError, and what graphHttp throws */
  readAttachment(id: string): Promise<GraphAttachment>;
  /** The bytes of a small one; undefined if Graph shows none. @throws GraphError, and what graphHttp throws */
  readContent(id: string): Promise<Buffer | undefined>;
}

export interface AttachmentsApiOptions {
  readonly graphOrigin: string;
  readonly graphHttp: GraphHttp;
  readonly target: ItemTarget;
  readonly call: Pick<GraphCall, 'clientRequestId' | 'wantsImmutableIds' | 'traceParent'>;
  readonly context: Omit<CallContext, 'mailbox'>;
  readonly clock?: Clock;
}

/** Without contentBytes. The members of the type at hand alone, one of a derived type with its cast (msgraph-metadata). */
const SHOWN = ['id', 'name', 'contentType', 'size', 'lastModifiedDateTime'];
const SHOWN_OF_OUTLOOK = [...SHOWN, 'isInline', 'microsoft.graph.fileAttachment/contentId'];

/** One page is enough for all but a few items. */
const PAGE_SIZE = 100;
/** Exchange Online takes 250 attachments for a message. 25 pages hold them even if Graph makes pages of its default size, 10. */
const MAX_PAGES = 25;

/** The file is attached: its caller waits no longer for the rest of the answer. One call to Graph takes less than a second. */
const READ_BACK_TIMEOUT_MS = 3_000;

export function createAttachmentsApi({
  graphOrigin,
  graphHttp,
  target,
  call,
  context,
  clock = systemClock,
}: AttachmentsApiOptions): AttachmentsApi {
  const { kind, version, owner } = target;
  const mailbox = foldCase(owner.id);
  const shown = kind === 'todoTask' ? SHOWN : SHOWN_OF_OUTLOOK;

  function send(
    about: Pick<GraphCall, 'operation' | 'method' | 'path' | 'body' | 'isDone'>,
    deadline: Deadline = context.deadline,
  ): Promise<GraphResponse> {
    return graphHttp.send({ ...call, kind, version, ...about }, { ...context, deadline, mailbox });
  }

  async function get(path: string, deadline?: Deadline): Promise<unknown> {
    const response = await send({ operation: 'attachments', method: 'GET', path }, deadline);
    if (response.status !== 200) throw new GraphError(response);
    return parseBody(response.body);
  }

  return {
    mailbox,
    locationOf(id, uploadUrl = '') {
      if (kind === 'todoTask') return `${graphOrigin}/${version}${graphPath(target, owner, encodeURIComponent(id))}`;
      const attachments = `${graphOrigin}/${version}${graphPath(target, owner)}`;
      const item = outlookItemIn(uploadUrl) ?? attachments.slice(0, attachments.lastIndexOf('/'));
      return `${item}/Attachments('${encodeKey(id)}')`;
    },
    async openSession(attachment) {
      const response = await send({
        operation: 'createUploadSession',
        method: 'POST',
        path: graphPath(target, owner, 'createUploadSession'),
        body: sessionBody(kind, attachment),
      });
      const session = response.status < 300 ? readUploadSession(parseBody(response.body)) : undefined;
      if (session === undefined) throw new GraphError(response);
      return session;
    },
    addAttachment: (body, isDone) =>
      send({
        operation: 'attachments',
        method: 'POST',
        path: graphPath(target, owner),
        body,
        isDone,
      }),
    async listAttachments() {
      const found: GraphAttachment[] = [];
      let query: string | undefined = `?$select=${SHOWN}&$top=${PAGE_SIZE}`;
      for (let pages = 0; query !== undefined; pages += 1) {
        if (pages === MAX_PAGES) throw endless();
        const page = await get(`${graphPath(target, owner)}${query}`);
        if (isObject(page) && Array.isArray(page['value'])) found.push(...page['value'].filter(isAttachment));
        query = nextQueryIn(page);
      }
      return found;
    },
    async readAttachment(id) {
      const part = startPart(context.deadline, READ_BACK_TIMEOUT_MS, clock);
      try {
        const attachment = await get(`${graphPath(target, owner, encodeURIComponent(id))}?$select=${shown}`, part);
        if (!isAttachment(attachment)) throw new TypeError('Graph gave no attachment.');
        return attachment;
      } finally {
        part.end();
      }
    },
    async readContent(id) {
      const attachment = await get(graphPath(target, owner, encodeURIComponent(id)));
      const content = isObject(attachment) ? attachment['contentBytes'] : undefined;
      return typeof content === 'string' ? Buffer.from(content, 'base64') : undefined;
    },
  };
}

/**
 * The query of the next page (learn.microsoft.com/graph/paging). Only the query of Graph's link is used: whatever host or path
 * the link has, the request stays at the item that the policy has admitted.
 */
function nextQueryIn(page: unknown): string | undefined {
  const link = isObject(page) ? page['@odata.nextLink'] : undefined;
  if (typeof link !== 'string') return undefined;
  const query = URL.canParse(link) ? new URL(link).search : '';
  if (query === '') throw endless();
  return query;
}

/** A list that is not read to its end must not be taken for one without the file. */
function endless(): ServiceError {
  return new ServiceError('GraphAnswerInvalid', "Graph's list of the item's attachments cannot be read to its end.");
}

/** `https://outlook…/users('…')/messages('…')`, of the uploadUrl of a session; undefined for any other URL. */
function outlookItemIn(uploadUrl: string): string | undefined {
  const [path = ''] = uploadUrl.split('?', 1);
  const end = path.toLowerCase().lastIndexOf('/attachmentsessions(');
  return end < 0 ? undefined : path.slice(0, end);
}

/** A key as Outlook writes it in parentheses: clients cut it out and do not decode it. */
function encodeKey(id: string): string {
  return encodeURIComponent(id).replaceAll('%3D', '=').replaceAll('%2B', '+').replaceAll("'", '%27');
}

function isAttachment(value: unknown): value is GraphAttachment {
  return isObject(value) && typeof value['id'] === 'string';
}

/** The parameter that the item's kind takes: learn.microsoft.com/graph/api/attachment-createuploadsession, …/taskfileattachment-createuploadsession */
function sessionBody(kind: ItemKind, attachment: FileInfo): string {
  const { name, sizeBytes, contentType, isInline, contentId } = attachment;
  const shared = { attachmentType: 'file', name, size: sizeBytes, ...(contentType !== undefined && { contentType }) };
  if (kind === 'todoTask') return JSON.stringify({ attachmentInfo: shared });
  return JSON.stringify({
    AttachmentItem: {
      ...shared,
      ...(isInline !== undefined && { isInline }),
      ...(contentId !== undefined && { contentId }),
    },
  });
}

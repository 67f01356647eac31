import { foldCase } from '../caller/policy.ts';
import type { UpstreamAnswer } from '../graph/exchange.ts';
import type { GraphCall } from '../graph/forward.ts';
import type { CallContext, Forwarder } from '../graph/forwarder.ts';
import { parseBody } from '../graph/relay.ts';
import { readUploadSession, type UploadSession } from '../graph/uploadSession.ts';
import { isObject } from '../isObject.ts';
import { upstreamPath } from '../route/target.ts';
import type { UploadRecord } from '../upload/uploadRecord.ts';
import { UpstreamFailure } from './upstreamFailure.ts';

/** An attachment as Graph shows it, without its bytes. */
export interface GraphAttachment {
  readonly id: string;
  readonly [member: string]: unknown;
}

/** The item that a file is attached to, for one request of ours. Every call keeps inside the deadline and the mailbox's places. */
export interface GraphItem {
  readonly mailbox: string;
  /** The address of one of its attachments at Graph. */
  locationOf(attachmentId: string): string;
  /** @throws UpstreamFailure for an answer that is no uploadSession, and what the forwarder throws */
  openSession(attachment: UploadRecord['attachment']): Promise<UploadSession>;
  /** Graph's answer to a POST of the whole file. @param isDone looks whether Graph has taken it all the same, before it is sent again */
  addAttachment(json: string, isDone: () => Promise<boolean>): Promise<UpstreamAnswer>;
  /** @throws UpstreamFailure for an answer that is no list, and what the forwarder throws */
  listAttachments(): Promise<readonly GraphAttachment[]>;
  /** @throws UpstreamFailure, and what the forwarder throws */
  readAttachment(id: string): Promise<GraphAttachment>;
}

export interface GraphItemOptions {
  readonly graphOrigin: string;
  readonly forwarder: Forwarder;
  readonly target: UploadRecord['target'];
  readonly call: Pick<GraphCall, 'clientRequestId' | 'wantsImmutableIds' | 'traceParent'>;
  readonly context: Omit<CallContext, 'mailbox'>;
}

/** Without contentBytes. The members of the type at hand alone, one of a derived type with its cast (msgraph-metadata). */
const SHOWN = ['id', 'name', 'contentType', 'size', 'lastModifiedDateTime'];
const SHOWN_OF_OUTLOOK = [...SHOWN, 'isInline', 'microsoft.graph.fileAttachment/contentId'];

export function createGraphItem({ graphOrigin, forwarder, target, call, context }: GraphItemOptions): GraphItem {
  const { kind, version, owner } = target;
  const mailbox = foldCase(owner.id);
  const shown = kind === 'todoTask' ? SHOWN : SHOWN_OF_OUTLOOK;

  function send(about: Pick<GraphCall, 'operation' | 'method' | 'path' | 'body' | 'isDone'>): Promise<UpstreamAnswer> {
    return forwarder.send({ ...call, kind, version, ...about }, { ...context, mailbox });
  }

  async function get(path: string): Promise<unknown> {
    const answer = await send({ operation: 'attachments', method: 'GET', path });
    if (answer.status !== 200) throw new UpstreamFailure(answer);
    return parseBody(answer.body);
  }

  return {
    mailbox,
    locationOf: (id) => `${graphOrigin}/${version}${upstreamPath(target, owner, encodeURIComponent(id))}`,
    async openSession(attachment) {
      const answer = await send({
        operation: 'createUploadSession',
        method: 'POST',
        path: upstreamPath(target, owner, 'createUploadSession'),
        body: sessionBody(kind, attachment),
      });
      const session = answer.status < 300 ? readUploadSession(parseBody(answer.body)) : undefined;
      if (session === undefined) throw new UpstreamFailure(answer);
      return session;
    },
    addAttachment: (body, isDone) =>
      send({
        operation: 'attachments',
        method: 'POST',
        path: upstreamPath(target, owner),
        body,
        isDone,
      }),
    async listAttachments() {
      const list = await get(`${upstreamPath(target, owner)}?$select=${SHOWN}&$top=100`);
      return isObject(list) && Array.isArray(list['value']) ? list['value'].filter(isAttachment) : [];
    },
    async readAttachment(id) {
      const attachment = await get(`${upstreamPath(target, owner, encodeURIComponent(id))}?$select=${shown}`);
      if (!isAttachment(attachment)) throw new TypeError('Graph gave no attachment.');
      return attachment;
    },
  };
}

function isAttachment(value: unknown): value is GraphAttachment {
  return isObject(value) && typeof value['id'] === 'string';
}

/** The parameter that the item's kind takes: learn.microsoft.com/graph/api/attachment-createuploadsession, …/taskfileattachment-createuploadsession */
function sessionBody(kind: UploadRecord['target']['kind'], attachment: UploadRecord['attachment']): string {
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

import { foldCase } from '../access/policy.ts';
import type { Deadline } from '../common/deadline.ts';
import { isObject } from '../common/isObject.ts';
import { type GraphVersion, type ResolvedOwner, resourcePath } from '../paths/target.ts';
import type { GraphCall } from './graphClient.ts';
import { GraphError } from './graphError.ts';
import type { CallContext, GraphHttp } from './graphHttp.ts';
import type { GraphResponse } from './graphResponse.ts';
import { parseBody } from './graphResponse.ts';

/** A message as Graph shows it. */
export interface GraphMessage {
  readonly id: string;
  readonly [member: string]: unknown;
}

/** A new draft: JSON, or MIME in base64. */
export interface DraftContent {
  readonly body: string;
  readonly contentType?: 'text/plain';
}

/** The messages of one mailbox. All ids are immutable: the one of a draft may then survive its sending (send-facts, 3.2). */
export interface MessagesApi {
  /** @param folderPath encoded, such as `mailFolders/AAMk`; empty: Drafts. @throws GraphError, and what graphHttp throws */
  create(content: DraftContent, folderPath: string): Promise<GraphMessage>;
  /** Sets an extended property of a draft. @throws GraphError, and what graphHttp throws */
  setProperty(id: string, property: { readonly id: string; readonly value: string }): Promise<void>;
  /** Undefined: Graph has no such message. @param query with `?`. @throws GraphError, and what graphHttp throws */
  read(id: string, query: string, deadline?: Deadline): Promise<GraphMessage | undefined>;
  /** The messages of Sent Items. @throws GraphError, and what graphHttp throws */
  findSent(filter: string, deadline: Deadline): Promise<readonly GraphMessage[]>;
  /** One attempt. @throws what graphHttp throws: the mail may have been sent nevertheless */
  send(id: string, deadline: Deadline): Promise<GraphResponse>;
  /** One attempt of sendMail. @throws as `send` */
  sendMail(body: string, deadline: Deadline): Promise<GraphResponse>;
  /** @param isForGood past the recoverable items; only the global cloud has it. @throws GraphError, and what graphHttp throws */
  remove(id: string, deadline: Deadline, isForGood?: boolean): Promise<void>;
}

export interface MessagesApiOptions {
  readonly graphHttp: GraphHttp;
  readonly owner: ResolvedOwner;
  readonly version: GraphVersion;
  readonly call: Pick<GraphCall, 'clientRequestId' | 'traceParent'>;
  readonly context: Omit<CallContext, 'mailbox'>;
}

export function createMessagesApi({ graphHttp, owner, version, call, context }: MessagesApiOptions): MessagesApi {
  const mailbox = foldCase(owner.id);
  const path = (...parts: readonly string[]) => resourcePath(owner, ...parts);
  const messagePath = (id: string, action?: string) => {
    const message = `messages/${encodeURIComponent(id)}`;
    return action === undefined ? path(message) : path(message, action);
  };

  function send(
    about: Pick<GraphCall, 'operation' | 'method' | 'path' | 'body' | 'contentType' | 'isSentOnce'>,
    deadline: Deadline = context.deadline,
  ): Promise<GraphResponse> {
    const always = { kind: 'message', version, wantsImmutableIds: true } as const;
    return graphHttp.send({ ...call, ...always, ...about }, { ...context, deadline, mailbox });
  }

  return {
    async create({ body, contentType }, folderPath) {
      const response = await send({
        operation: 'messages',
        method: 'POST',
        path: path(folderPath, 'messages'),
        body,
        ...(contentType !== undefined && { contentType }),
      });
      const message = parseBody(response.body);
      if (response.status >= 300 || !isMessage(message)) throw new GraphError(response);
      return message;
    },
    async setProperty(id, property) {
      const body = JSON.stringify({ singleValueExtendedProperties: [property] });
      const response = await send({ operation: 'messages', method: 'PATCH', path: messagePath(id), body });
      if (response.status >= 300) throw new GraphError(response);
    },
    async read(id, query, deadline) {
      const response = await send(
        { operation: 'messages', method: 'GET', path: `${messagePath(id)}${query}` },
        deadline,
      );
      if (response.status === 404) return undefined;
      const message = parseBody(response.body);
      if (response.status !== 200 || !isMessage(message)) throw new GraphError(response);
      return message;
    },
    async findSent(filter, deadline) {
      const query = `?$filter=${encodeURIComponent(filter)}&$select=id,internetMessageId,conversationId&$top=10`;
      const response = await send(
        { operation: 'messages', method: 'GET', path: path(`mailFolders/sentitems/messages${query}`) },
        deadline,
      );
      const page = parseBody(response.body);
      if (response.status !== 200 || !isObject(page) || !Array.isArray(page['value'])) throw new GraphError(response);
      return page['value'].filter(isMessage);
    },
    send: (id, deadline) =>
      send({ operation: 'send', method: 'POST', path: messagePath(id, 'send'), isSentOnce: true }, deadline),
    sendMail: (body, deadline) =>
      send({ operation: 'sendMail', method: 'POST', path: path('sendMail'), body, isSentOnce: true }, deadline),
    async remove(id, deadline, isForGood = false) {
      const response = await send(
        isForGood
          ? { operation: 'messages', method: 'POST', path: messagePath(id, 'permanentDelete') }
          : { operation: 'messages', method: 'DELETE', path: messagePath(id) },
        deadline,
      );
      if (response.status >= 300 && response.status !== 404) throw new GraphError(response);
    },
  };
}

function isMessage(value: unknown): value is GraphMessage {
  return isObject(value) && typeof value['id'] === 'string';
}

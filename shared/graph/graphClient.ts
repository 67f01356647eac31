import type { Context, GraphRequest, Middleware, MiddlewareOptions } from '@microsoft/microsoft-graph-client';
import type { Dispatcher } from 'undici';
import { isObject } from '../common/isObject.ts';
import type { ItemKind } from '../paths/entityModel.ts';
import type { GraphVersion } from '../paths/target.ts';
import { createPool, type HttpRequest, httpRequest } from './httpRequest.ts';

/** As spans name it. */
export type GraphOperation = 'createUploadSession' | 'attachments' | 'messages' | 'send' | 'sendMail';

const METHODS = ['GET', 'POST', 'PATCH', 'DELETE'] as const;

/** All that goes to Graph. Nothing else of the caller's request is sent. */
export interface GraphCall {
  readonly operation: GraphOperation;
  readonly method: (typeof METHODS)[number];
  /** One attempt only: after a lost response nobody knows whether the call has been done. */
  readonly isSentOnce?: true;
  /** For a call that must not be done twice: checks whether it has been done. Absent if a second time does no harm. */
  readonly isDone?: () => Promise<boolean>;
  readonly kind: ItemKind;
  readonly version: GraphVersion;
  /** Already encoded; begins with a slash. */
  readonly path: string;
  /** JSON, unless `contentType` says otherwise. */
  readonly body?: string;
  readonly contentType?: 'text/plain';
  readonly token: string;
  readonly clientRequestId: string;
  readonly wantsImmutableIds: boolean;
  readonly traceParent: string | undefined;
}

/** The Graph SDK's client. */
export interface GraphClient {
  /** Makes one attempt. The request's result is there when this resolves. */
  send(call: GraphCall, signal: AbortSignal): Promise<HttpRequest>;
}

/** Sends one HTTP request to Graph's origin. */
export type Dispatch = (options: Dispatcher.DispatchOptions, signal: AbortSignal) => HttpRequest;

/**
 * Builds the SDK's client with one middleware, which sends over kept-alive connections and reads the whole response. It follows
 * no redirect, retries nothing, and has no timeout except the signal.
 *
 * None of the SDK's default middleware is used: authentication sends no token outside a list of hosts, retry ignores the
 * deadline, redirect sends the body to any host. `debugLogging` stays off: it prints URLs.
 */
export async function createGraphClient(origin: string, dispatch?: Dispatch): Promise<GraphClient> {
  const { Client, ResponseType } = await import('./graphLibrary.ts');
  const send = dispatch ?? (await dispatchTo(origin));
  const middleware: Middleware = {
    async execute(context) {
      const attempt = context.middlewareControl?.getMiddlewareOptions(Attempt);
      if (!(attempt instanceof Attempt)) throw new TypeError('The request carries no Attempt.');
      attempt.request = send(toDispatchOptions(context, origin), attempt.signal);
      await attempt.request.result;
    },
  };
  const client = Client.initWithMiddleware({ baseUrl: `${origin}/`, middleware });
  return {
    async send(call, signal) {
      const attempt = new Attempt(signal);
      const request = client
        .api(call.path)
        .version(call.version)
        .headers(toHeaders(call))
        .middlewareOptions([attempt])
        .responseType(ResponseType.RAW);
      await perform(request, call);
      if (attempt.request === undefined) throw new TypeError('The SDK sent no request.');
      return attempt.request;
    },
  };
}

/** Graph requires `Content-Length: 0` of a POST without a body, such as /send: an empty text has it. */
function perform(request: GraphRequest, { method, body = '' }: GraphCall): Promise<unknown> {
  switch (method) {
    case 'GET':
      return request.get();
    case 'POST':
      return request.post(body);
    case 'PATCH':
      return request.patch(body);
    case 'DELETE':
      return request.delete();
  }
}

/**
 * Carries one attempt through the SDK. The SDK returns a raw response unchanged, so no Response object is built for it, and
 * failures keep their cause, which the SDK's own error drops.
 */
class Attempt implements MiddlewareOptions {
  readonly signal: AbortSignal;
  request: HttpRequest | undefined;

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }
}

async function dispatchTo(origin: string): Promise<Dispatch> {
  const pool = await createPool(origin);
  return (options, signal) => httpRequest(pool, options, signal);
}

function toHeaders(call: GraphCall): Record<string, string> {
  return {
    Authorization: `Bearer ${call.token}`,
    ...(call.body !== undefined && { 'Content-Type': call.contentType ?? 'application/json' }),
    Accept: 'application/json',
    'client-request-id': call.clientRequestId,
    ...(call.wantsImmutableIds && { Prefer: 'IdType="ImmutableId"' }),
    ...(call.traceParent !== undefined && { traceparent: call.traceParent }),
  };
}

/** The SDK passes the whole URL: the origin, the version and the call's path. Its types allow more than `send` passes to it. */
function toDispatchOptions({ request, options }: Context, origin: string): Dispatcher.DispatchOptions {
  const { method, headers, body } = options ?? {};
  if (
    typeof request !== 'string' ||
    !request.startsWith(`${origin}/`) ||
    !isMethod(method) ||
    !(body === undefined || body === null || typeof body === 'string') ||
    !isHeaderRecord(headers)
  ) {
    throw new TypeError('The SDK changed the request.');
  }
  return { method, path: request.slice(origin.length), headers, body: body ?? null };
}

function isMethod(method: unknown): method is GraphCall['method'] {
  return METHODS.some((known) => known === method);
}

function isHeaderRecord(headers: unknown): headers is Record<string, string> {
  return isObject(headers) && Object.values(headers).every((value) => typeof value === 'string');
}

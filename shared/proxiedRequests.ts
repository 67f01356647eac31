import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorAnswer } from './answer.ts';
import { ServiceError } from './errors.ts';

/**
 * In streaming mode the platform proxies each request to an HTTP server inside the worker. The Functions library keeps
 * that server to itself, so Node's own diagnostics channel is what shows its requests. Three things hang on it: the
 * caller's connection closes there; a request that the library cannot turn into a `Request` would never be answered; and
 * so would one whose handler is never called.
 */
const INVOCATION_ID_HEADER = 'x-ms-invocation-id';

/** Requests whose handler has not asked for them yet. */
const waiting = new Map<string, ServerResponse>();

/** Requests that were over before their handler asked: the caller went away, or they were refused here. */
const over = new Set<string>();

/**
 * Starts watching; to be called once, before the platform's proxy server takes requests.
 *
 * @param lateMs after this time a request without any answer gets a 500: longer than the handlers' own limit
 */
export function watchProxiedRequests(lateMs: number): void {
  subscribe('http.server.request.start', (message) => {
    if (!isRequestStart(message)) return;
    const { request, response } = message;
    const invocationId = request.headers[INVOCATION_ID_HEADER];
    if (typeof invocationId !== 'string') return;
    waiting.set(invocationId, response);
    const finish = () => {
      if (!waiting.delete(invocationId)) return;
      over.add(invocationId);
      setTimeout(() => over.delete(invocationId), lateMs).unref(); // Some handlers never ask.
    };
    const late = setTimeout(() => answer(response, invocationId, NEVER_HANDLED), lateMs).unref();
    response.once('close', () => {
      clearTimeout(late);
      finish();
    });
    const fault = requestFault(request);
    if (fault === undefined) return;
    finish();
    answer(response, invocationId, fault);
  });
}

/**
 * Calls the listener when the invocation's caller goes away before the answer, or at once if the request is over; gives
 * back what stops that. For one handler per invocation.
 */
export function onCallerDisconnect(invocationId: string, listener: () => void): () => void {
  if (over.delete(invocationId)) listener();
  const response = waiting.get(invocationId);
  waiting.delete(invocationId);
  response?.once('close', listener);
  return () => response?.off('close', listener);
}

const NEVER_HANDLED = new ServiceError('InternalError', 'The proxy did not come to answer this request.');

/**
 * The host mixes query parameters with its own data about the request: these names would stand for the request's headers
 * or its path (azure-webjobs-sdk-extensions, HttpTriggerAttributeBindingProvider.GetRequestBindingData).
 */
const RESERVED_PARAMETERS: ReadonlySet<string> = new Set(['headers', 'query', 'path']);

function requestFault({ headers, url = '' }: IncomingMessage): ServiceError | undefined {
  if (!URL.canParse(`http://${headers['x-forwarded-host']}${url}`)) {
    return new ServiceError('InvalidRequest', 'The address of the request, with its Host header, is no valid URL.');
  }
  const queryStart = url.indexOf('?');
  if (queryStart === -1) return undefined;
  const reserved = [...new URLSearchParams(url.slice(queryStart)).keys()].find((name) =>
    RESERVED_PARAMETERS.has(name.toLowerCase()),
  );
  if (reserved === undefined) return undefined;
  return new ServiceError('InvalidRequest', 'The query parameters headers, query and path are refused.');
}

function answer(response: ServerResponse, invocationId: string, error: ServiceError): void {
  if (response.headersSent) return;
  const { status, headers, body } = errorAnswer(
    error,
    { requestId: invocationId, clientRequestId: invocationId },
    new Date(),
  );
  response.writeHead(status, { ...headers, 'content-type': 'application/json', 'cache-control': 'no-store' }).end(body);
}

interface RequestStart {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Node documents the message's shape: nodejs.org/api/diagnostics_channel.html, built-in channels. */
function isRequestStart(message: unknown): message is RequestStart {
  return typeof message === 'object' && message !== null && 'request' in message && 'response' in message;
}

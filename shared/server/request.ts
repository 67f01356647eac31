import type { IncomingMessage, ServerResponse } from 'node:http';
import { ServiceError } from '../errors.ts';
import { createRequestBody, type RequestBody } from './body.ts';
import { joinRepeated } from './repeatedHeaders.ts';

/** Reads one header; the name in lower case. repeatedHeaders.ts says what comes of one that was sent more than once. */
export interface RequestHeaders {
  /** @throws ServiceError InvalidRequest for different values of a header that can have one only */
  get(name: string): string | null;
}

/** All that the app believes of a request, from the request as the worker's own HTTP server received it. */
export interface IncomingRequest {
  readonly method: string;
  /** The address that the caller used; the path in it has been through the platform's routing and is encoded. */
  readonly url: URL;
  readonly headers: RequestHeaders;
  readonly body: RequestBody;
  /** Calls the listener once when the caller goes away before its answer, at once if it has; gives back what stops that. */
  onCallerGone(listener: () => void): () => void;
}

/** A request, or what keeps it from being one. */
export type ParsedRequest =
  | { readonly kind: 'read'; readonly request: IncomingRequest }
  | {
      readonly kind: 'faulty';
      readonly fault: ServiceError;
      readonly request: Pick<IncomingRequest, 'headers' | 'body'>;
    };

/**
 * The one reader of a request's head. Trigger metadata is never asked: the host mixes the members of a JSON body, and the
 * query, into what it says there of headers and parameters (azure-webjobs-sdk-extensions,
 * HttpTriggerAttributeBindingProvider.GetRequestBindingData), so whoever writes a part of a body could set any header.
 */
export function readIncomingRequest(
  message: IncomingMessage,
  response: ServerResponse,
  expectsContinue: boolean,
): ParsedRequest {
  const headers = readHeaders(message);
  const body = createRequestBody(message, response, expectsContinue);
  const url = readAddress(message, headers);
  if (url === undefined) {
    const fault = new ServiceError(
      'InvalidRequest',
      'The address of the request, with its Host header, is no valid URL.',
    );
    return { kind: 'faulty', fault, request: { headers, body } };
  }
  return {
    kind: 'read',
    request: {
      method: message.method ?? '',
      url,
      headers,
      body,
      onCallerGone: (listener) => onGone(response, listener),
    },
  };
}

/** From the list as it came: objects of Node's with header names as members have been tripped by a name like `__proto__`. */
function readHeaders({ rawHeaders }: IncomingMessage): RequestHeaders {
  return {
    get(name) {
      const values = rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
      return values.length === 0 ? null : joinRepeated(name, values);
    },
  };
}

/** On these no front end terminates TLS before the host, so the host's own X-Forwarded-Proto is the caller's scheme. */
const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

/**
 * The platform ends TLS before its host, which then names http as the scheme; it overwrites the X-Forwarded headers of the
 * caller with its own (Azure Functions host, DefaultHttpProxyService).
 */
function readAddress({ url: target = '' }: IncomingMessage, headers: RequestHeaders): URL | undefined {
  const host = headers.get('x-forwarded-host') ?? '';
  const scheme = LOOPBACK.test(host) && headers.get('x-forwarded-proto') !== 'https' ? 'http' : 'https';
  const address = `${scheme}://${host}${target}`;
  if (host === '' || !target.startsWith('/') || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  return url.username === '' && url.password === '' ? url : undefined;
}

function onGone(response: ServerResponse, listener: () => void): () => void {
  const onClose = () => {
    if (!response.writableFinished) listener();
  };
  if (response.destroyed) onClose();
  else response.once('close', onClose);
  return () => response.off('close', onClose);
}

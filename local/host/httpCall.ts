import type { IncomingMessage, ServerResponse } from 'node:http';
import { endToEndHeaders, type RequestHeaders } from './headers.ts';
import { createBufferedInvocation, createStreamInvocation } from './invocationRequest.ts';
import { createClientResponse, SERVER_HEADER, sendEmpty } from './kestrel.ts';
import type { BufferedResponse } from './messages.ts';
import { createBufferedBody, createRequestBody, type RequestBody, readAll } from './requestBody.ts';
import type { RequestTarget } from './requestTarget.ts';
import type { RouteMatch } from './router.ts';
import { type InvocationContext, runInvocation, type Worker } from './runInvocation.ts';
import type { StreamForwarder } from './streamForwarder.ts';

/** A request with a matching function. */
export interface HttpCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly headers: RequestHeaders;
  readonly target: RequestTarget;
  readonly match: RouteMatch;
  readonly callerGone: AbortSignal;
  readonly context: InvocationContext;
}

/** Reads a body that has a Content-Length, then calls the function, as the host does. */
export async function runHttpCall(call: HttpCall, bodyLimitBytes: number): Promise<void> {
  const { request, response, callerGone, context } = call;
  const rules = { limitBytes: bodyLimitBytes, graceMs: context.times.bodyGraceMs };
  try {
    const body = createRequestBody(request, response, rules);
    const bytes = body?.declaredBytes === undefined ? undefined : await readAll(body, callerGone);
    const worker = await context.workers.ready();
    callerGone.throwIfAborted();
    if (worker.forwarder === undefined) {
      await callBuffered(call, worker, bytes);
    } else {
      await callStreaming(call, worker, worker.forwarder, body, bytes);
    }
  } catch (error) {
    context.log({ level: 'warning', category: 'host', message: `The request failed: ${String(error)}` });
    if (!response.headersSent && !callerGone.aborted) sendEmpty(response, 500);
  }
}

/** Aborts if the connection of a caller ends before its response does. */
export function watchCaller(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('The caller has gone.'));
  });
  return gone.signal;
}

/**
 * A call of a streaming app: the message and the request go to the worker at the same time. The response is that of the
 * worker's server, if the invocation succeeds.
 *
 * @param bytes the body, if it had a Content-Length
 */
async function callStreaming(
  { request, response, headers, target, match, callerGone, context }: HttpCall,
  worker: Worker,
  forwarder: StreamForwarder,
  body: RequestBody | undefined,
  bytes: Buffer | undefined,
): Promise<void> {
  const clientResponse = createClientResponse(response);
  const invocation = createStreamInvocation(headers, target, match, bytes);
  const forwarded = {
    incoming: request,
    headers,
    target,
    invocationId: invocation.invocationId,
    body: bytes === undefined ? body : createBufferedBody(bytes),
  };
  const forwarding = forwarder.forward(forwarded, clientResponse, callerGone);
  const outcome = await runInvocation(context, worker, match.called.name, invocation, forwarding);
  if (outcome.kind === 'returned') {
    clientResponse.complete();
  } else {
    clientResponse.fail();
  }
}

/**
 * A call of an app that does not stream: the body is in the message, the response in the outcome. A failure is 500, a handler
 * that returned nothing 204. Cookies set through the response's `cookies` are not supported.
 *
 * @param bytes the body, if it had a Content-Length: the host ignores a chunked one
 */
async function callBuffered(
  { request, response, headers, target, match, context }: HttpCall,
  worker: Worker,
  bytes: Buffer | undefined,
): Promise<void> {
  const invocation = createBufferedInvocation(request.method ?? '', headers, target, match, bytes);
  const outcome = await runInvocation(context, worker, match.called.name, invocation);
  if (outcome.kind !== 'returned') {
    sendEmpty(response, 500);
  } else if (outcome.response === undefined) {
    sendEmpty(response, 204);
  } else {
    sendBuffered(response, outcome.response);
  }
}

function sendBuffered(response: ServerResponse, { statusCode, headers, body }: BufferedResponse): void {
  const bytes = body?.bytes ?? new Uint8Array();
  const status = Number(statusCode);
  const isBodiless = status === 204 || status === 304;
  response.writeHead(status, [
    ...endToEndHeaders(Object.entries(headers).flat(), ['content-length']),
    ...SERVER_HEADER,
    ...(isBodiless ? [] : ['Content-Length', String(bytes.length)]),
  ]);
  response.end(isBodiless ? undefined : bytes);
}

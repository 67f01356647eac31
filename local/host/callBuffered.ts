import type { ServerResponse } from 'node:http';
import { endToEndHeaders } from './hopByHopHeaders.ts';
import { createBufferedInvocation } from './invocationRequest.ts';
import { SERVER_HEADER, sendEmpty } from './kestrel.ts';
import type { BufferedResponse } from './messages.ts';
import { type HttpCall, runInvocation, type Worker } from './runInvocation.ts';

/**
 * One call of an app that does not stream: the body travels in the message, the answer comes back in the outcome.
 * A failure is 500, a handler that returned nothing 204. Cookies set through `cookies` of the answer are not carried.
 * @param whole the body, when it had a Content-Length: the host does not look at a chunked one
 */
export async function callBuffered(
  { request, response, headers, target, match, context }: HttpCall,
  worker: Worker,
  whole: Buffer | undefined,
): Promise<void> {
  const invocation = createBufferedInvocation(request.method ?? '', headers, target, match, whole);
  const outcome = await runInvocation(context, worker, match.called.name, invocation);
  if (outcome.kind !== 'returned') {
    sendEmpty(response, 500);
  } else if (outcome.response === undefined) {
    sendEmpty(response, 204);
  } else {
    answerWith(response, outcome.response);
  }
}

function answerWith(response: ServerResponse, { statusCode, headers, body }: BufferedResponse): void {
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

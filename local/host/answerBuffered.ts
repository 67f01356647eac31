import type { IncomingMessage, ServerResponse } from 'node:http';
import { endToEndHeaders } from './hopByHopHeaders.ts';
import { createBufferedInvocation } from './invocationRequest.ts';
import { answerEmpty, SERVER_HEADER } from './kestrel.ts';
import type { HttpAnswer, InvocationOutcome, InvocationRequest } from './messages.ts';
import type { RequestTarget } from './requestTarget.ts';
import type { RouteMatch } from './router.ts';

/**
 * One call of an app that does not stream: the body travels in the message, the answer comes back in the outcome.
 * A failure is 500, a handler that returned nothing 204. Cookies set through `cookies` of the answer are not carried.
 */
export async function answerBuffered(
  request: IncomingMessage,
  response: ServerResponse,
  target: RequestTarget,
  match: RouteMatch,
  invoke: (call: InvocationRequest) => Promise<InvocationOutcome>,
): Promise<void> {
  const body = await readBody(request);
  const outcome = await invoke(createBufferedInvocation(request, target, match, body));
  if (outcome.kind !== 'returned') {
    answerEmpty(response, 500);
  } else if (outcome.answer === undefined) {
    answerEmpty(response, 204);
  } else {
    answerWith(response, outcome.answer);
  }
}

/** Only a body with a Content-Length is handed over: the host does not look at a chunked one. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  if (!(Number(request.headers['content-length']) > 0)) {
    return undefined;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function answerWith(response: ServerResponse, { statusCode, headers, body }: HttpAnswer): void {
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

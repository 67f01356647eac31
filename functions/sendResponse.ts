import type { ServerResponse } from 'node:http';
import type { HttpResponse } from './toHttpResponse.ts';

/**
 * Writes a handler's answer to the worker's HTTP response, as the library's sendProxyResponse does, without a `Response` and a web
 * stream between. An answer that cannot be written breaks off the connection: the host then answers an empty 500 at once, where it
 * would wait for minutes.
 *
 * @throws TypeError for what is no answer, and what Node says of a header that cannot be sent
 */
export function sendResponse(response: ServerResponse, invocationId: string, result: unknown): void {
  try {
    if (!isAnswer(result)) throw new TypeError('The handler returned no answer.');
    const { status = 200, headers = {}, body } = result;
    response.writeHead(status, { ...headers, 'x-ms-invocation-id': invocationId });
    response.end(body);
  } catch (error) {
    response.destroy();
    throw error;
  }
}

/** Every handler of the app returns one; the repair hook puts one behind a handler that fails. */
function isAnswer(result: unknown): result is HttpResponse {
  return typeof result === 'object' && result !== null;
}

import http, { type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { createForwardedHeaders, endToEndHeaders, isAscii, type RequestHeaders } from './headers.ts';
import type { HostTimes } from './hostTimes.ts';
import { type ClientResponse, SERVER_HEADER } from './kestrel.ts';
import type { RequestBody } from './requestBody.ts';
import { encodePathFully, type RequestTarget } from './requestTarget.ts';
import { type Activity, requestWorker, type WorkerRequest, watchActivity } from './workerRequest.ts';

export interface ForwardedRequest {
  readonly incoming: IncomingMessage;
  readonly headers: RequestHeaders;
  readonly target: RequestTarget;
  readonly invocationId: string;
  readonly body: RequestBody | undefined;
}

export type StreamForwarder = ReturnType<typeof createStreamForwarder>;

/** Forwards to the `HttpUri` of a streaming app, over connections that are kept. */
export function createStreamForwarder(httpUri: string, times: HostTimes) {
  const { hostname, port, host } = new URL(httpUri);
  const agent = new http.Agent({ keepAlive: true });
  return {
    /** Sends a request to the worker and relays the response. Resolves to the error, if any. */
    async forward(
      request: ForwardedRequest,
      response: ClientResponse,
      callerGone: AbortSignal,
    ): Promise<Error | undefined> {
      const { incoming, headers, target, invocationId, body } = request;
      const activity = watchActivity(times.inactivityMs, callerGone);
      const workerRequest: WorkerRequest = {
        options: {
          agent,
          hostname,
          port,
          method: incoming.method,
          path: encodePathFully(target.path) + target.query,
          headers: createForwardedHeaders(incoming, headers, invocationId, host),
        },
        body,
        expectsContinue: /^100-continue$/i.test(headers.get('expect')?.[0] ?? ''),
        continueWaitMs: times.continueWaitMs,
      };
      try {
        await relay(await retry(workerRequest, activity, times), response, activity);
        return undefined;
      } catch (error) {
        return error instanceof Error ? error : new Error(String(error));
      } finally {
        activity.stop();
      }
    },
    close: () => agent.destroy(),
  };
}

/** Ten attempts with one invocation id, after any error: of the worker, the body, or an invalid header. */
async function retry(request: WorkerRequest, activity: Activity, times: HostTimes): Promise<IncomingMessage> {
  const pauses = times.retryDelaysMs.values();
  for (;;) {
    try {
      if (!request.options.headers.every(isAscii)) {
        throw new Error('Request headers must contain only ASCII characters.');
      }
      return await requestWorker(request, activity);
    } catch (error) {
      const pause = pauses.next();
      if (pause.done || activity.signal.aborted) throw error;
      await delay(pause.value, undefined, { signal: activity.signal });
    }
  }
}

async function relay(incoming: IncomingMessage, response: ClientResponse, activity: Activity): Promise<void> {
  activity.touch();
  const headers = endToEndHeaders(incoming.rawHeaders);
  if (!headers.every(isAscii)) {
    incoming.destroy();
    throw new Error('Invalid non-ASCII or control character in header.');
  }
  const server = incoming.headers['server'] === undefined ? SERVER_HEADER : [];
  response.begin(incoming.statusCode ?? 500, [...headers, ...server]);
  try {
    for await (const chunk of incoming) {
      activity.touch();
      await response.write(chunk, activity.signal);
      activity.touch();
    }
  } catch (error) {
    // An incomplete response stays incomplete, so that the caller notices.
    if (response.isUnderWay) response.fail();
    throw activity.signal.aborted ? activity.signal.reason : error;
  }
}

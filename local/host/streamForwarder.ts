import http, { type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { type Activity, watchActivity } from './activity.ts';
import type { ClientResponse } from './clientResponse.ts';
import { areSendable, createForwardedHeaders } from './forwardedHeaders.ts';
import { endToEndHeaders } from './hopByHopHeaders.ts';
import type { HostTimes } from './hostTimes.ts';
import { SERVER_HEADER } from './kestrel.ts';
import type { RequestBody } from './requestBody.ts';
import { isAscii, type RequestHeaders } from './requestHeaders.ts';
import { encodePathFully, type RequestTarget } from './requestTarget.ts';
import { requestWorker, type WorkerRequest } from './workerRequest.ts';

export interface ForwardedRequest {
  readonly incoming: IncomingMessage;
  readonly headers: RequestHeaders;
  readonly target: RequestTarget;
  readonly invocationId: string;
  readonly body: RequestBody | undefined;
}

export interface StreamForwarder {
  /** Sends a request to the worker and relays its answer up to the last byte. Returns what went wrong, if anything. */
  forward(request: ForwardedRequest, answer: ClientResponse, callerGone: AbortSignal): Promise<Error | undefined>;
  close(): void;
}

/** Forwards to the address a streaming app announces as `HttpUri`, over connections that are kept. */
export function createStreamForwarder(httpUri: string, times: HostTimes): StreamForwarder {
  const { hostname, port, host } = new URL(httpUri);
  const agent = new http.Agent({ keepAlive: true });
  return {
    async forward(request, answer, callerGone) {
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
        await relay(await tryAgain(workerRequest, activity, times), answer, activity);
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

/** Ten attempts with one invocation id, whatever broke: the worker, the body, or a header that cannot be sent. */
async function tryAgain(request: WorkerRequest, activity: Activity, times: HostTimes): Promise<IncomingMessage> {
  const pauses = times.retryDelaysMs.values();
  for (;;) {
    try {
      if (!areSendable(request.options.headers)) {
        throw new Error('Request headers must contain only ASCII characters.');
      }
      return await requestWorker(request, activity);
    } catch (error) {
      const pause = pauses.next();
      if (pause.done || activity.signal.aborted) {
        throw error;
      }
      await delay(pause.value, undefined, { signal: activity.signal });
    }
  }
}

async function relay(incoming: IncomingMessage, answer: ClientResponse, activity: Activity): Promise<void> {
  activity.touch();
  const headers = endToEndHeaders(incoming.rawHeaders);
  if (!headers.every(isAscii)) {
    incoming.destroy();
    throw new Error('Invalid non-ASCII or control character in header.');
  }
  const server = incoming.headers['server'] === undefined ? SERVER_HEADER : [];
  answer.begin(incoming.statusCode ?? 500, [...headers, ...server]);
  try {
    for await (const chunk of incoming) {
      activity.touch();
      await answer.write(chunk, activity.signal);
      activity.touch();
    }
  } catch (error) {
    // An answer cut short on the way in is cut short on the way out, so that the caller sees it.
    if (answer.isUnderWay) {
      answer.fail();
    }
    throw activity.signal.aborted ? activity.signal.reason : error;
  }
}

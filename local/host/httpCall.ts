import type { ServerResponse } from 'node:http';
import { callBuffered } from './callBuffered.ts';
import { callStreaming } from './callStreaming.ts';
import { sendEmpty } from './kestrel.ts';
import { createRequestBody, readWhole } from './requestBody.ts';
import type { HttpCall } from './runInvocation.ts';

/** Reads what the host reads before it calls anyone, a body with Content-Length, and calls the function. */
export async function runHttpCall(call: HttpCall, bodyLimitBytes: number): Promise<void> {
  const { request, response, callerGone, context } = call;
  const rules = { limitBytes: bodyLimitBytes, graceMs: context.times.bodyGraceMs };
  try {
    const body = createRequestBody(request, response, rules);
    const whole = body?.declaredBytes === undefined ? undefined : await readWhole(body, callerGone);
    const worker = await context.workers.ready();
    callerGone.throwIfAborted();
    if (worker.forwarder === undefined) {
      await callBuffered(call, worker, whole);
    } else {
      await callStreaming(call, worker, worker.forwarder, body, whole);
    }
  } catch (error) {
    context.log({ level: 'warning', category: 'host', message: `The request was not taken: ${String(error)}` });
    if (!response.headersSent && !callerGone.aborted) {
      sendEmpty(response, 500);
    }
  }
}

/** Aborts when the connection of a caller ends before its answer does. */
export function watchCaller(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) {
      gone.abort(new Error('The caller has gone.'));
    }
  });
  return gone.signal;
}

import { createClientResponse } from './clientResponse.ts';
import { createStreamInvocation } from './invocationRequest.ts';
import { createHeldBody, type RequestBody } from './requestBody.ts';
import { type HttpCall, runInvocation, type Worker } from './runInvocation.ts';
import type { StreamForwarder } from './streamForwarder.ts';

/**
 * One call of a streaming app: the message and the request go to the worker at the same time. The answer is what the
 * worker's server sends, and stands only when the invocation succeeds.
 * @param whole the body, when it had a Content-Length: the host has read it before the worker hears of anything
 */
export async function callStreaming(
  { request, response, headers, target, match, callerGone, context }: HttpCall,
  worker: Worker,
  graphHttp: StreamForwarder,
  body: RequestBody | undefined,
  whole: Buffer | undefined,
): Promise<void> {
  const answer = createClientResponse(response);
  const invocation = createStreamInvocation(headers, target, match, whole);
  const forwarding = graphHttp.forward(
    {
      incoming: request,
      headers,
      target,
      invocationId: invocation.invocationId,
      body: whole === undefined ? body : createHeldBody(whole),
    },
    answer,
    callerGone,
  );
  const outcome = await runInvocation(context, worker, match.called.name, invocation, forwarding);
  if (outcome.kind === 'returned') {
    answer.complete();
  } else {
    answer.fail();
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { HostTimes } from './hostTimes.ts';
import type { HostLog } from './log.ts';
import type { InvocationOutcome, InvocationRequest } from './messages.ts';
import type { RequestHeaders } from './requestHeaders.ts';
import type { RequestTarget } from './requestTarget.ts';
import type { RouteMatch } from './router.ts';
import type { StreamForwarder } from './streamForwarder.ts';

export interface Worker {
  /** Never rejects: a worker that goes away ends its calls as `crashed`. */
  invoke(request: InvocationRequest): Promise<InvocationOutcome>;
  /** Undefined when the app does not stream. */
  readonly forwarder: StreamForwarder | undefined;
}

export interface Workers {
  /** The worker that takes calls; waits while a new one starts. Rejects when the host closes meanwhile. */
  ready(): Promise<Worker>;
  /** Ends a worker with everything under way in it, and resolves when the next restart would be allowed. */
  restart(worker: Worker): Promise<void>;
}

export interface InvocationContext {
  readonly workers: Workers;
  readonly times: HostTimes;
  /** `functionTimeout` of host.json. Undefined: without end. */
  readonly functionTimeoutMs: number | undefined;
  readonly log: HostLog;
}

/** A request that has found its function. */
export interface HttpCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly headers: RequestHeaders;
  readonly target: RequestTarget;
  readonly match: RouteMatch;
  readonly callerGone: AbortSignal;
  readonly context: InvocationContext;
}

/**
 * One invocation as the host counts it: over when the worker has reported its outcome and, in streaming mode, `forwarding`
 * has ended too. Past the function's time it has failed; the worker that still runs it is ended, with all other calls in
 * it. (WebJobs SDK: FunctionExecutor; Azure Functions host: GrpcWorkerChannel, WebScriptHostExceptionHandler)
 */
export async function runInvocation(
  context: InvocationContext,
  worker: Worker,
  name: string,
  request: InvocationRequest,
  forwarding: Promise<Error | undefined> = Promise.resolve(undefined),
): Promise<InvocationOutcome> {
  let isTold = false;
  const whole = worker.invoke(request).then(async (outcome): Promise<InvocationOutcome> => {
    isTold = true;
    // Nothing is awaited for a worker that has gone.
    const fault = outcome.kind === 'crashed' ? undefined : await forwarding;
    return fault === undefined
      ? outcome
      : { kind: 'failed', message: `The request was not forwarded: ${fault.message}` };
  });
  const outcome = (await within(whole, context.functionTimeoutMs)) ?? (await expire());
  if (outcome.kind !== 'returned') {
    const reason = outcome.kind === 'crashed' ? 'The worker process ended.' : outcome.message;
    const message = `Executed 'Functions.${name}' (Failed, Id=${request.invocationId}): ${reason}`;
    context.log({ level: 'error', category: 'host', message, invocationId: request.invocationId });
  }
  return outcome;

  async function expire(): Promise<InvocationOutcome> {
    const message = `Timeout value of ${context.functionTimeoutMs} ms was exceeded by function: Functions.${name}`;
    if ((await within(whole, context.times.timeoutGraceMs)) === undefined && !isTold) {
      context.log({ level: 'warning', category: 'host', message: `${message}. Its worker process is ended.` });
      await context.workers.restart(worker);
    }
    return { kind: 'failed', message };
  }
}

async function within<T>(promise: Promise<T>, timeoutMs: number | undefined): Promise<T | undefined> {
  if (timeoutMs === undefined) {
    return await promise;
  }
  const timer = new AbortController();
  try {
    const timeUp = delay(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined);
    return await Promise.race([promise, timeUp]);
  } finally {
    timer.abort();
  }
}

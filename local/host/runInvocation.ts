import { within } from '../within.ts';
import type { HostTimes } from './hostTimes.ts';
import type { HostLog } from './log.ts';
import type { InvocationOutcome, InvocationRequest } from './messages.ts';
import type { StreamForwarder } from './streamForwarder.ts';

export interface Worker {
  /** Never rejects: if the worker ends, its calls end as `crashed`. */
  invoke(request: InvocationRequest): Promise<InvocationOutcome>;
  /** Undefined if the app does not stream. */
  readonly forwarder: StreamForwarder | undefined;
}

export interface Workers {
  /** The current worker; waits while a new one starts. Rejects if the host closes meanwhile. */
  ready(): Promise<Worker>;
  /** Ends a worker and its calls, and resolves when the next restart is allowed. */
  restart(worker: Worker): Promise<void>;
}

export interface InvocationContext {
  readonly workers: Workers;
  readonly times: HostTimes;
  /** `functionTimeout` of host.json. Undefined: no timeout. */
  readonly functionTimeoutMs: number | undefined;
  readonly log: HostLog;
}

/**
 * One invocation. It ends when the worker has reported its outcome and, in streaming mode, `forwarding` has ended too. After
 * the function's timeout it has failed, and the host ends the worker with all its other calls.
 * (WebJobs SDK: FunctionExecutor; Azure Functions host: GrpcWorkerChannel, WebScriptHostExceptionHandler)
 */
export async function runInvocation(
  context: InvocationContext,
  worker: Worker,
  name: string,
  request: InvocationRequest,
  forwarding: Promise<Error | undefined> = Promise.resolve(undefined),
): Promise<InvocationOutcome> {
  let isReported = false;
  const ended = worker.invoke(request).then(async (outcome): Promise<InvocationOutcome> => {
    isReported = true;
    const error = outcome.kind === 'crashed' ? undefined : await forwarding;
    return error === undefined
      ? outcome
      : { kind: 'failed', message: `The request was not forwarded: ${error.message}` };
  });
  const outcome = (await within(ended, context.functionTimeoutMs)) ?? (await expire());
  if (outcome.kind !== 'returned') {
    const reason = outcome.kind === 'crashed' ? 'The worker process ended.' : outcome.message;
    const message = `Executed 'Functions.${name}' (Failed, Id=${request.invocationId}): ${reason}`;
    context.log({ level: 'error', category: 'host', message, invocationId: request.invocationId });
  }
  return outcome;

  async function expire(): Promise<InvocationOutcome> {
    const message = `Timeout value of ${context.functionTimeoutMs} ms was exceeded by function: Functions.${name}`;
    if ((await within(ended, context.times.timeoutGraceMs)) === undefined && !isReported) {
      context.log({ level: 'warning', category: 'host', message: `${message}. Its worker process is ended.` });
      await context.workers.restart(worker);
    }
    return { kind: 'failed', message };
  }
}

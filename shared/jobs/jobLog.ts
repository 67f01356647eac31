import type { InvocationContext } from '@azure/functions';
import type { Config } from '../config/config.ts';
import type { LogEntry } from '../logging/logEntry.ts';
import { entryFields, errorFields } from '../logging/requestLine.ts';

/** What one run came to. */
export interface JobOutcome {
  readonly code:
    | 'Completed'
    | 'Failed'
    /** The run's time is over; another goes on at once. */
    | 'Continued'
    /** Another comes after `delayMs`, for `reason`. */
    | 'Postponed'
    /** A message came before its time. */
    | 'TooEarly'
    /** Another run holds the job. */
    | 'HeldElsewhere'
    /** There is nothing to do: done, cancelled, or gone. */
    | 'AlreadyFinished'
    /** The message is none of ours. */
    | 'MessageRefused'
    /** Neither record nor queue can be reached: the host gives the message again. */
    | 'Aborted';
  /** The code of the last error. */
  readonly reason?: string;
  readonly delayMs?: number;
  /** The failure behind it, if there was one. */
  readonly error?: unknown;
}

/** The one line of a job's run, as JSON; docs/operate.md explains each field. */
export function jobLine(
  logEntry: LogEntry,
  { invocationId, traceContext }: Pick<InvocationContext, 'invocationId' | 'traceContext'>,
  { code, reason, delayMs, error }: JobOutcome,
  isPoison: boolean,
  logMailbox: Config['logMailbox'],
): string {
  return JSON.stringify({
    event: 'job',
    code,
    reason,
    ...(isPoison && { isPoison }), // infra/queries/alerts/lostJobs.kql looks for it.
    delayMs: delayMs === undefined ? undefined : Math.round(delayMs),
    ...entryFields(logEntry, logMailbox),
    requestId: invocationId,
    graphRequestId: logEntry.graphRequestId,
    traceparent: traceContext?.traceParent,
    ...errorFields(error),
  });
}

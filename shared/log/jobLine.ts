import type { InvocationContext } from '@azure/functions';
import type { Config } from '../config/config.ts';
import { failureFields, recordFields } from './requestLine.ts';
import type { RequestRecord } from './requestRecord.ts';

/** What one run came to. */
export interface JobOutcome {
  readonly code:
    | 'Completed'
    | 'Failed'
    /** The run's time is over; another goes on at once. */
    | 'HandedOn'
    /** Another comes after `delayMs`, for `reason`. */
    | 'Postponed'
    /** A message came before its time. */
    | 'TooEarly'
    /** Another run holds the job. */
    | 'HeldElsewhere'
    /** There is nothing to do: done, cancelled, or gone. */
    | 'Over'
    /** The message is none of ours. */
    | 'MessageRefused'
    /** Neither record nor queue can be reached: the host gives the message again. */
    | 'BrokenOff';
  /** The code of the last error. */
  readonly reason?: string;
  readonly delayMs?: number;
  /** The failure behind it, if there was one. */
  readonly error?: unknown;
}

/** The one line of a job's run, as JSON; docs/operate.md explains each field. */
export function jobLine(
  record: RequestRecord,
  { invocationId, traceContext }: Pick<InvocationContext, 'invocationId' | 'traceContext'>,
  { code, reason, delayMs, error }: JobOutcome,
  isPoison: boolean,
  logMailbox: Config['logMailbox'],
): string {
  return JSON.stringify({
    event: 'job',
    code,
    reason,
    ...(isPoison && { isPoison }), // An alert of infra/app/monitoring.bicep looks for it.
    delayMs: delayMs === undefined ? undefined : Math.round(delayMs),
    ...recordFields(record, logMailbox),
    requestId: invocationId,
    upstreamRequestId: record.upstreamRequestId,
    traceparent: traceContext?.traceParent,
    ...failureFields(error),
  });
}

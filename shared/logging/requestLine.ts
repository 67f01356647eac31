import type { Config } from '../config/config.ts';
import type { RequestInfo } from '../server/requestInfo.ts';
import type { LogEntry } from './logEntry.ts';
import { formatCause, hashMailbox } from './mask.ts';
import { sourceLocation } from './sourceLocation.ts';

/** How the request ended. `code` is Graph's own where its error was relayed. */
export interface Outcome {
  readonly status: number;
  readonly code: string;
  /** The failure behind the answer, if there was one. */
  readonly error?: unknown;
}

/** The one line of a request, as JSON; docs/operate.md explains each field. */
export function requestLine(
  logEntry: LogEntry,
  info: RequestInfo,
  outcome: Outcome,
  logMailbox: Config['logMailbox'],
): string {
  return JSON.stringify({
    event: 'request',
    operation: logEntry.operation,
    code: outcome.code,
    status: outcome.status,
    ...entryFields(logEntry, logMailbox),
    requestId: info.requestId,
    clientRequestId: info.clientRequestId,
    graphRequestId: logEntry.graphRequestId,
    traceparent: info.traceParent,
    workflowRunId: info.workflowRunId,
    ...errorFields(outcome.error),
  });
}

/** What the lines of requests and of jobs say alike. */
export function entryFields(logEntry: LogEntry, logMailbox: Config['logMailbox']): Readonly<Record<string, unknown>> {
  const shown = (name: string | undefined) => (name === undefined || logMailbox === 'plain' ? name : hashMailbox(name));
  return {
    caller: logEntry.caller,
    policyPath: logEntry.policyPath,
    actsAs: logEntry.actsAs,
    kind: logEntry.kind,
    mailbox: shown(logEntry.mailbox),
    group: shown(logEntry.group),
    sizeBytes: logEntry.sizeBytes,
    upload: logEntry.upload,
    offset: logEntry.offset,
    rangeBytes: logEntry.rangeBytes,
    recipients: logEntry.recipients,
    files: logEntry.files,
    attempts: logEntry.graphStatuses.length,
    graphStatuses: logEntry.graphStatuses,
    ms: rounded({ total: logEntry.elapsedMs, ...logEntry.stagesMs }),
  };
}

/** The causes of an error that this service made on purpose; an unforeseen one whole, with its place. */
export function errorFields(error: unknown): { cause?: string; at?: string | undefined } {
  if (error === undefined) return {};
  const isForeseen = error instanceof Error && 'code' in error && error.name === 'ServiceError';
  if (!isForeseen) return { cause: formatCause(error), at: sourceLocation(error) };
  return error.cause === undefined ? {} : { cause: formatCause(error.cause) };
}

function rounded(stagesMs: Record<string, number>): Record<string, number> {
  for (const [stage, ms] of Object.entries(stagesMs)) stagesMs[stage] = Math.round(ms * 10) / 10;
  return stagesMs;
}

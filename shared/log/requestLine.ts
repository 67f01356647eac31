import type { Config } from '../config/config.ts';
import type { RequestHead } from '../request/requestHead.ts';
import { describeCause, hashMailbox } from './mask.ts';
import { placeOf } from './placeOf.ts';
import type { RequestRecord } from './requestRecord.ts';

/** How the request ended. `code` is Graph's own where its error was relayed. */
export interface Outcome {
  readonly status: number;
  readonly code: string;
  /** The failure behind the answer, if there was one. */
  readonly error?: unknown;
}

/** The one line of a request, as JSON; docs/operate.md explains each field. */
export function requestLine(
  record: RequestRecord,
  head: RequestHead,
  outcome: Outcome,
  logMailbox: Config['logMailbox'],
): string {
  return JSON.stringify({
    event: 'request',
    operation: record.operation,
    code: outcome.code,
    status: outcome.status,
    ...recordFields(record, logMailbox),
    requestId: head.requestId,
    clientRequestId: head.clientRequestId,
    upstreamRequestId: record.upstreamRequestId,
    traceparent: head.traceParent,
    workflowRunId: head.workflowRunId,
    ...failureFields(outcome.error),
  });
}

/** What the lines of requests and of jobs say alike. */
export function recordFields(
  record: RequestRecord,
  logMailbox: Config['logMailbox'],
): Readonly<Record<string, unknown>> {
  const shown = (name: string | undefined) => (name === undefined || logMailbox === 'plain' ? name : hashMailbox(name));
  return {
    caller: record.caller,
    decidedBy: record.decidedBy,
    actsAs: record.actsAs,
    kind: record.kind,
    mailbox: shown(record.mailbox),
    group: shown(record.group),
    sizeBytes: record.sizeBytes,
    upload: record.upload,
    offset: record.offset,
    rangeBytes: record.rangeBytes,
    attempts: record.upstreamStatuses.length,
    upstreamStatuses: record.upstreamStatuses,
    ms: rounded({ total: record.elapsedMs, ...record.stagesMs }),
  };
}

/** The causes of an error that this service made on purpose; an unforeseen one whole, with its place. */
export function failureFields(error: unknown): { cause?: string; at?: string | undefined } {
  if (error === undefined) return {};
  const isForeseen = error instanceof Error && 'code' in error && error.name === 'ServiceError';
  if (!isForeseen) return { cause: describeCause(error), at: placeOf(error) };
  return error.cause === undefined ? {} : { cause: describeCause(error.cause) };
}

function rounded(stagesMs: Record<string, number>): Record<string, number> {
  for (const [stage, ms] of Object.entries(stagesMs)) stagesMs[stage] = Math.round(ms * 10) / 10;
  return stagesMs;
}

import { randomUUID } from 'node:crypto';
import type { InvocationContext } from '@azure/functions';
import type { RequestHeaders } from './request.ts';
import type { RequestIds } from './response.ts';

/** What is read from a request's head besides method and path; each value checked before it is echoed, logged or sent on. */
export interface RequestInfo extends RequestIds {
  readonly wantsImmutableIds: boolean;
  /** The platform's own trace, for the log and for Graph (W3C Trace Context). */
  readonly traceParent: string | undefined;
  /** The Logic Apps run that called. */
  readonly workflowRunId: string | undefined;
}

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TRACE_PARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const RUN_ID = /^[\w-]{1,100}$/;

/** Ids stay valid across a move with this preference: learn.microsoft.com/graph/outlook-immutable-id */
const IMMUTABLE_IDS = /(?:^|[,;\s])IdType\s*=\s*"?ImmutableId"?(?:$|[,;\s])/i;

export function readRequestInfo(headers: RequestHeaders, context: InvocationContext): RequestInfo {
  return {
    requestId: context.invocationId,
    clientRequestId: matching(headers.get('client-request-id'), GUID) ?? randomUUID(),
    wantsImmutableIds: IMMUTABLE_IDS.test(headers.get('prefer') ?? ''),
    traceParent:
      matching(context.traceContext?.traceParent, TRACE_PARENT) ?? matching(headers.get('traceparent'), TRACE_PARENT),
    workflowRunId: matching(headers.get('x-ms-workflow-run-id'), RUN_ID),
  };
}

function matching(value: string | null | undefined, pattern: RegExp): string | undefined {
  return typeof value === 'string' && pattern.test(value) ? value : undefined;
}

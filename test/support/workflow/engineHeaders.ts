import { randomUUID } from 'node:crypto';

/** Removed without notice from what the author sets: learn.microsoft.com/azure/connectors/connectors-native-http, "Known issues". */
const REMOVED_HEADERS =
  /^(accept-(?!version)|allow$|content-(?!disposition$|encoding$|type$)|cookie$|expires$|host$|last-modified$|origin$|set-cookie$|transfer-encoding$)/i;

/** What is left of the headers that the author has set. */
export function authorHeaders(headers: Readonly<Record<string, unknown>> = {}): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => !REMOVED_HEADERS.test(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}

/** One action of one run. A repetition of its requests has the same ids. */
export interface ActionIds {
  readonly runId: string;
  readonly actionName: string;
  readonly trackingId: string;
}

/** As captured from the HTTP action; all but User-Agent can be suppressed (operationOptions: SuppressWorkflowHeaders). */
export function engineHeaders({ runId, actionName, trackingId }: ActionIds): Record<string, string> {
  const requestId = randomUUID();
  return {
    'accept-language': 'en-US',
    'user-agent': 'azure-logic-apps/1.0 (workflow 7f6e5d4c3b2a; version 08584611111111111111)',
    'x-ms-activity-vector': 'IN.01',
    'x-ms-action-tracking-id': trackingId,
    'x-ms-client-request-id': requestId,
    'x-ms-client-tracking-id': runId,
    'x-ms-correlation-id': requestId,
    'x-ms-execution-location': 'westeurope',
    'x-ms-tracking-id': requestId,
    'x-ms-workflow-id': '7f6e5d4c3b2a',
    'x-ms-workflow-name': 'attach-report',
    'x-ms-workflow-operation-name': actionName,
    'x-ms-workflow-resourcegroup-name': 'reports',
    'x-ms-workflow-run-id': runId,
    'x-ms-workflow-run-tracking-id': requestId,
    'x-ms-workflow-subscription-id': requestId,
    'x-ms-workflow-system-id': '/locations/westeurope/scaleunits/prod-00/workflows/7f6e5d4c3b2a',
    'x-ms-workflow-version': '08584611111111111111',
  };
}

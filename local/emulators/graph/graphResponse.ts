import { randomUUID } from 'node:crypto';

/** The ids of one call, and its time; every response carries them. */
export interface CallIds {
  readonly requestId: string;
  readonly clientRequestId: string;
  readonly date: Date;
}

/** Graph, or Outlook's upload host: their errors have different shapes. */
export type Service = 'graph' | 'uploadHost';

export interface GraphResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface ErrorDetails {
  readonly headers?: Readonly<Record<string, string>>;
  /** The code within the upload host's innerError. */
  readonly innerCode?: string;
  /** Without innerError, as the store behind both services writes it (microsoftgraph/microsoft-graph-docs-contrib#2561). */
  readonly isBare?: boolean;
}

/** An error response, thrown where a call fails. */
export class GraphError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: ErrorDetails;

  constructor(status: number, code: string, message: string, details: ErrorDetails = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

export function itemNotFound(): GraphError {
  return new GraphError(404, 'ErrorItemNotFound', 'The specified object was not found in the store.');
}

export function accessDenied(): GraphError {
  return new GraphError(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
}

/** Graph echoes the caller's `client-request-id`; without one it repeats its own `request-id`. */
export function createCallIds(clientRequestId: string | undefined, date: Date): CallIds {
  const requestId = randomUUID();
  return { requestId, clientRequestId: clientRequestId ?? requestId, date };
}

const DIAGNOSTIC = JSON.stringify({
  ServerInfo: { DataCenter: 'Emulator', Slice: 'E', Ring: '0', ScaleUnit: '000', RoleInstance: 'EMULATOR0' },
});

/** The headers that Graph's front end adds to every response. */
export function graphHeaders(ids: CallIds): Record<string, string> {
  return {
    'Cache-Control': 'no-store',
    'Strict-Transport-Security': 'max-age=31536000',
    'request-id': ids.requestId,
    'client-request-id': ids.clientRequestId,
    'x-ms-ags-diagnostic': DIAGNOSTIC,
  };
}

export function jsonResponse(ids: CallIds, status: number, body: object): GraphResponse {
  return {
    status,
    headers: {
      ...graphHeaders(ids),
      'Content-Type':
        'application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8',
    },
    body: JSON.stringify(body),
  };
}

export function noContent(ids: CallIds): GraphResponse {
  return { status: 204, headers: graphHeaders(ids), body: '' };
}

/**
 * Graph's errors have a date in UTC without a zone (learn.microsoft.com/graph/errors). The upload host's have other inner
 * members (microsoftgraph/msgraph-sdk-java-core#445).
 */
export function errorResponse(ids: CallIds, service: Service, error: GraphError): GraphResponse {
  const { status, code, message, details } = error;
  const { headers, innerCode, isBare = false } = details;
  const date = ids.date.toISOString().slice(0, 19);
  const innerError =
    service === 'graph'
      ? { date, 'request-id': ids.requestId, 'client-request-id': ids.clientRequestId }
      : { code: innerCode, requestId: ids.requestId, date };
  const ownHeaders = service === 'graph' && !isBare ? graphHeaders(ids) : { 'request-id': ids.requestId };
  return {
    status,
    headers: { ...ownHeaders, 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ error: { code, message, ...(!isBare && { innerError }) } }),
  };
}

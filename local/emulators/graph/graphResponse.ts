import { randomUUID } from 'node:crypto';

/** The ids of one call, and its moment; every answer and error body carries them. */
export interface CallIds {
  readonly requestId: string;
  readonly clientRequestId: string;
  readonly date: Date;
}

export interface GraphResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Graph echoes the caller's `client-request-id`; without one it repeats its own `request-id`. */
export function createCallIds(clientRequestId: string | undefined, date: Date): CallIds {
  const requestId = randomUUID();
  return { requestId, clientRequestId: clientRequestId ?? requestId, date };
}

const DIAGNOSTIC = JSON.stringify({
  ServerInfo: { DataCenter: 'Emulator', Slice: 'E', Ring: '0', ScaleUnit: '000', RoleInstance: 'EMULATOR0' },
});

/** The headers that Graph's own front end puts on every answer. */
export function graphHeaders(ids: CallIds): Record<string, string> {
  return {
    'Cache-Control': 'no-store',
    'Strict-Transport-Security': 'max-age=31536000',
    'request-id': ids.requestId,
    'client-request-id': ids.clientRequestId,
    'x-ms-ags-diagnostic': DIAGNOSTIC,
  };
}

export function graphJson(
  ids: CallIds,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): GraphResponse {
  return {
    status,
    headers: {
      ...graphHeaders(ids),
      'Content-Type':
        'application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8',
      ...headers,
    },
    body: JSON.stringify(body),
  };
}

/** An error as Graph writes it: the date is UTC without a zone (learn.microsoft.com/graph/errors). */
export function graphError(
  ids: CallIds,
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): GraphResponse {
  const innerError = {
    date: ids.date.toISOString().slice(0, 19),
    'request-id': ids.requestId,
    'client-request-id': ids.clientRequestId,
  };
  return {
    status,
    headers: { ...graphHeaders(ids), 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ error: { code, message, innerError } }),
  };
}

/** The upload host's errors carry other inner members (seen in microsoftgraph/msgraph-sdk-java-core#445). */
export function uploadHostError(
  ids: CallIds,
  status: number,
  code: string,
  message: string,
  { innerCode, headers = {} }: { innerCode?: string; headers?: Record<string, string> } = {},
): GraphResponse {
  const innerError = {
    ...(innerCode === undefined ? {} : { code: innerCode }),
    requestId: ids.requestId,
    date: ids.date.toISOString().slice(0, 19),
  };
  return {
    status,
    headers: { 'request-id': ids.requestId, 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ error: { code, message, innerError } }),
  };
}

/** An error as the store behind both has been seen to write it (microsoftgraph/microsoft-graph-docs-contrib#2561). */
export function bareError(ids: CallIds, status: number, code: string, message: string): GraphResponse {
  return {
    status,
    headers: { 'request-id': ids.requestId, 'Content-Type': 'application/json' },
    body: JSON.stringify({ error: { code, message } }),
  };
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type RequestHeaders, readRequestHeaders } from './headers.ts';
import { runHttpCall, watchCaller } from './httpCall.ts';
import { SERVER_HEADER, sendEmpty } from './kestrel.ts';
import { type RequestTarget, readRequestTarget } from './requestTarget.ts';
import { findRoute, type HttpFunction } from './router.ts';
import type { InvocationContext } from './runInvocation.ts';

/** The functions and settings that HTTP requests need. */
export interface Site {
  readonly functions: readonly HttpFunction[];
  readonly context: InvocationContext;
  readonly bodyLimitBytes: number;
  readonly isHomePageOff: boolean;
  /** `functionKey` is valid for all functions whose authLevel requires a key. */
  readonly keys: { readonly areRequired: boolean; readonly functionKey: string | undefined };
}

/** Routes the request, then checks the key, both before it reads the body. */
export function handleRequest(site: Site, request: IncomingMessage, response: ServerResponse): void {
  const target = readRequestTarget(request.url ?? '');
  const headers = readRequestHeaders(request);
  if (target === undefined || headers === undefined) {
    response.shouldKeepAlive = false;
    sendEmpty(response, 400);
    return;
  }
  // The host reserves these two.
  const isReserved = /^\/(?:admin|runtime)(?:\/|$)/i.test(target.path);
  const match = isReserved ? undefined : findRoute(site.functions, request.method ?? '', target.path);
  if (match === undefined) {
    sendUnrouted(site, target, response);
  } else if (!isKeyValid(site, match.called, headers, target)) {
    sendEmpty(response, 401);
  } else {
    const callerGone = watchCaller(response);
    const call = { request, response, headers, target, match, callerGone, context: site.context };
    void runHttpCall(call, site.bodyLimitBytes);
  }
}

function sendUnrouted(site: Site, target: RequestTarget, response: ServerResponse): void {
  if (target.path !== '/') {
    sendEmpty(response, 404);
  } else if (site.isHomePageOff) {
    sendEmpty(response, 204);
  } else {
    const page = 'Your Functions app is up and running.\n';
    response.writeHead(200, [...SERVER_HEADER, 'Content-Type', 'text/plain', 'Content-Length', String(page.length)]);
    response.end(page);
  }
}

/** The header overrides the query. Without a key the host denies every call. */
function isKeyValid({ keys }: Site, called: HttpFunction, headers: RequestHeaders, target: RequestTarget): boolean {
  if (!keys.areRequired || called.authLevel === 'anonymous') return true;
  const key = headers.get('x-functions-key')?.[0] ?? new URLSearchParams(target.query).get('code');
  return keys.functionKey !== undefined && key === keys.functionKey;
}

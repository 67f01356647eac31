import type { IncomingMessage, ServerResponse } from 'node:http';
import { runHttpCall, watchCaller } from './httpCall.ts';
import { SERVER_HEADER, sendEmpty } from './kestrel.ts';
import { type RequestHeaders, readRequestHeaders } from './requestHeaders.ts';
import { type RequestTarget, readRequestTarget } from './requestTarget.ts';
import { findRoute, type HttpFunction } from './router.ts';
import type { InvocationContext } from './runInvocation.ts';

/** What an HTTP request meets on this host. */
export interface Site {
  readonly functions: readonly HttpFunction[];
  readonly context: InvocationContext;
  readonly bodyLimitBytes: number;
  readonly isHomePageOff: boolean;
  /** Whether keys are demanded where a function's authLevel asks for one, and the key that opens them all. */
  readonly keys: { readonly areDemanded: boolean; readonly functionKey: string | undefined };
}

/** Routing comes before the key check, and both before anything is read of the body. */
export function handleRequest(site: Site, request: IncomingMessage, response: ServerResponse): void {
  const target = readRequestTarget(request.url ?? '');
  const headers = readRequestHeaders(request);
  if (target === undefined || headers === undefined) {
    response.shouldKeepAlive = false;
    sendEmpty(response, 400);
    return;
  }
  // The host keeps these two for itself, whatever functions there are.
  const isReserved = /^\/(?:admin|runtime)(?:\/|$)/i.test(target.path);
  const match = isReserved ? undefined : findRoute(site.functions, request.method ?? '', target.path);
  if (match === undefined) {
    answerUnrouted(site, target, response);
  } else if (!isKeyGood(site, match.called, headers, target)) {
    sendEmpty(response, 401);
  } else {
    const callerGone = watchCaller(response);
    const call = { request, response, headers, target, match, callerGone, context: site.context };
    void runHttpCall(call, site.bodyLimitBytes);
  }
}

function answerUnrouted(site: Site, target: RequestTarget, response: ServerResponse): void {
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

/** The header beats the query. Without any key of its own the host lets nobody in. */
function isKeyGood({ keys }: Site, called: HttpFunction, headers: RequestHeaders, target: RequestTarget): boolean {
  if (!keys.areDemanded || called.authLevel === 'anonymous') {
    return true;
  }
  const key = headers.get('x-functions-key')?.[0] ?? new URLSearchParams(target.query).get('code');
  return keys.functionKey !== undefined && key === keys.functionKey;
}

import type { Context, Middleware } from '@microsoft/microsoft-graph-client';
import type { Dispatcher } from 'undici';
import { isObject } from '../common/isObject.ts';
import { lazy } from '../common/lazy.ts';
import { GraphAttempt } from './graphAttempt.ts';
import { httpRequest } from './httpRequest.ts';
import { createPool } from './pool.ts';
import type { GraphCall } from './sendOnce.ts';

export interface HttpHandler extends Middleware {
  /** Loads the HTTP client ahead of the first request, and opens a connection for it. */
  connect(): Promise<void>;
}

/**
 * The last handler of the SDK's chain: sends over kept-alive connections and reads the answer whole. It follows no
 * redirect, retries nothing, and leaves time limits to the attempt's signal.
 */
export function createHttpHandler(origin: string): HttpHandler {
  const pool = lazy(() => createPool(origin));
  return {
    async connect() {
      (await pool()).connectAhead();
    },
    async execute(context: Context): Promise<void> {
      const attempt = context.middlewareControl?.getMiddlewareOptions(GraphAttempt);
      if (!(attempt instanceof GraphAttempt)) throw new TypeError('The request carries no GraphAttempt.');
      const dispatched = httpRequest((await pool()).pool, toDispatchOptions(context, origin), attempt.signal);
      attempt.released = dispatched.released;
      attempt.result = await dispatched.result;
    },
  };
}

/** The SDK hands over its whole URL, which is the origin and what forward.ts gave it. */
function toDispatchOptions({ request, options }: Context, origin: string): Dispatcher.DispatchOptions {
  const isOurs = typeof request === 'string' && request.startsWith(`${origin}/`);
  const { method, headers, body } = options ?? {};
  const isBody = body === undefined || body === null || typeof body === 'string';
  if (!isOurs || !isForwardMethod(method) || !isBody || !isHeaderRecord(headers)) {
    throw new TypeError('Not a request of forward.ts.');
  }
  return { method, path: request.slice(origin.length), headers, body: body ?? null };
}

function isForwardMethod(method: unknown): method is GraphCall['method'] {
  return method === 'GET' || method === 'POST' || method === 'PATCH' || method === 'DELETE';
}

/** forward.ts hands over a plain object; the SDK's type allows more. */
function isHeaderRecord(headers: unknown): headers is Record<string, string> {
  return isObject(headers) && Object.values(headers).every((value) => typeof value === 'string');
}

import type { Context, Middleware } from '@microsoft/microsoft-graph-client';
import type { Dispatcher } from 'undici';
import { isObject } from '../isObject.ts';
import { once } from '../once.ts';
import { dispatch } from './dispatch.ts';
import { Exchange } from './exchange.ts';
import { createPool } from './pool.ts';

export interface HttpHandler extends Middleware {
  /** Loads the HTTP client ahead of the first request, and opens a connection for it. */
  connect(): Promise<void>;
}

/**
 * The last handler of the SDK's chain: sends over kept-alive connections and reads the answer whole. It follows no
 * redirect, retries nothing, and leaves time limits to the exchange's signal.
 */
export function createHttpHandler(origin: string): HttpHandler {
  const pool = once(() => createPool(origin));
  return {
    async connect() {
      (await pool()).connectAhead();
    },
    async execute(context: Context): Promise<void> {
      const exchange = context.middlewareControl?.getMiddlewareOptions(Exchange);
      if (!(exchange instanceof Exchange)) throw new TypeError('The request carries no Exchange.');
      const dispatched = dispatch((await pool()).pool, toDispatchOptions(context, origin), exchange.signal);
      exchange.released = dispatched.released;
      exchange.result = await dispatched.result;
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

function isForwardMethod(method: unknown): method is 'GET' | 'POST' {
  return method === 'GET' || method === 'POST';
}

/** forward.ts hands over a plain object; the SDK's type allows more. */
function isHeaderRecord(headers: unknown): headers is Record<string, string> {
  return isObject(headers) && Object.values(headers).every((value) => typeof value === 'string');
}

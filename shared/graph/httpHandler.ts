import type { Context, Middleware } from '@microsoft/microsoft-graph-client';
import type { Dispatcher, Pool } from 'undici';
import { isObject } from '../isObject.ts';
import { KEEP_ALIVE_MS, MAX_CONNECTIONS_TO_GRAPH, MAX_UPSTREAM_BODY_BYTES } from '../limits.ts';
import { once } from '../once.ts';
import { type AttemptResult, Exchange } from './exchange.ts';

type IncomingHeaders = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2];

export interface HttpHandler extends Middleware {
  /** Loads the HTTP client ahead of the first request. */
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
      await pool();
    },
    async execute(context: Context): Promise<void> {
      const exchange = context.middlewareControl?.getMiddlewareOptions(Exchange);
      if (!(exchange instanceof Exchange)) throw new TypeError('The request carries no Exchange.');
      exchange.result = await dispatch(await pool(), toDispatchOptions(context, origin), exchange.signal);
    },
  };
}

async function createPool(origin: string): Promise<Pool> {
  const { Pool } = await import('./httpLibrary.ts');
  return new Pool(origin, {
    connections: MAX_CONNECTIONS_TO_GRAPH,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0, // The exchange's signal is the one clock.
    bodyTimeout: 0,
  });
}

/** The SDK hands over its whole URL, which is the origin and what forward.ts gave it. */
function toDispatchOptions({ request, options }: Context, origin: string): Dispatcher.DispatchOptions {
  const isOurs = typeof request === 'string' && request.startsWith(`${origin}/`);
  if (!isOurs || typeof options?.body !== 'string' || !isHeaderRecord(options.headers)) {
    throw new TypeError('Not a request of forward.ts.');
  }
  return {
    method: 'POST',
    path: request.slice(origin.length),
    headers: options.headers,
    body: options.body,
  };
}

/** forward.ts hands over a plain object; the SDK's type allows more. */
function isHeaderRecord(headers: unknown): headers is Record<string, string> {
  return isObject(headers) && Object.values(headers).every((value) => typeof value === 'string');
}

/** Settles once, with whatever comes first: the answer, a failure, or the signal, which also covers the time of connecting. */
function dispatch(pool: Pool, options: Dispatcher.DispatchOptions, signal: AbortSignal): Promise<AttemptResult> {
  return new Promise((resolve) => {
    let status = 0;
    let headers: Readonly<Record<string, string>> = {};
    const chunks: Buffer[] = [];
    let bytes = 0;
    let controller: Dispatcher.DispatchController | undefined;
    const settle = (result: AttemptResult) => {
      signal.removeEventListener('abort', abort);
      resolve(result);
    };
    const fail = (cause: unknown) =>
      settle({ kind: 'failed', phase: status === 0 ? 'beforeAnswer' : 'inAnswer', cause });
    const abort = () => {
      controller?.abort(signal.reason);
      fail(signal.reason);
    };
    if (signal.aborted) return fail(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    pool.dispatch(options, {
      onRequestStart(started) {
        controller = started;
        if (signal.aborted) started.abort(signal.reason); // It aborted while the connection was made.
      },
      onResponseStart(_controller, statusCode, incoming) {
        if (statusCode < 200) return; // 1xx: the answer is still to come.
        status = statusCode;
        headers = joinHeaders(incoming);
      },
      onResponseData(started, chunk) {
        bytes += chunk.byteLength;
        if (bytes > MAX_UPSTREAM_BODY_BYTES) started.abort(new Error('The answer is too large.'));
        else chunks.push(chunk);
      },
      onResponseEnd() {
        const body = Buffer.concat(chunks, bytes).toString('utf8');
        settle({ kind: 'answer', answer: { status, headers, body } });
      },
      onResponseError(_controller, cause) {
        fail(cause);
      },
    });
  });
}

function joinHeaders(incoming: IncomingHeaders): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

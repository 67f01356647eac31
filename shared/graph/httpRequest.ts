import type { Dispatcher, Pool } from 'undici';
import type { AttemptResult } from './graphResponse.ts';

/** Connections of one instance to one origin; more requests wait for a free one. The Consumption plan allows 600 in total. */
const MAX_CONNECTIONS = 128;

/** An idle connection is closed after this time unless the server names a shorter one. */
export const KEEP_ALIVE_MS = 30_000;

/** An aborted request's connection has gone by then, and its place at the mailbox is free. */
const CONNECTION_CLOSE_TIMEOUT_MS = 1_000;

/** The response to a POST of a whole file has 3 MiB in base64; the limit keeps a broken server from filling memory. */
const MAX_RESPONSE_BYTES = 5 * 1024 * 1024;

type IncomingHeaders = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2];

export interface HttpRequest {
  /** Settles with the response, a failure, or the signal, which also covers the time of connecting. */
  readonly result: Promise<AttemptResult>;
  /** Settles when the request has no connection any more: after `result` if it was aborted. */
  readonly released: Promise<void>;
}

/** Kept-alive connections to one origin. Loads undici. */
export async function createPool(origin: string): Promise<Pool> {
  const { Pool } = await import('./httpLibrary.ts');
  return new Pool(origin, {
    connections: MAX_CONNECTIONS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0, // The request's signal is the only timeout.
    bodyTimeout: 0,
  });
}

/** Sends one request over the pool and reads the whole response. Follows no redirect, retries nothing. */
export function httpRequest(pool: Pool, options: Dispatcher.DispatchOptions, signal: AbortSignal): HttpRequest {
  let released: Promise<void> = Promise.resolve();
  const result = new Promise<AttemptResult>((resolve) => {
    let status = 0;
    let headers: Readonly<Record<string, string>> = {};
    const chunks: Buffer[] = [];
    let bytes = 0;
    let controller: Dispatcher.DispatchController | undefined;
    const settle = (outcome: AttemptResult) => {
      signal.removeEventListener('abort', onAbort);
      resolve(outcome);
    };
    const fail = (cause: unknown) =>
      settle({ kind: 'failed', phase: status === 0 ? 'beforeResponse' : 'inResponse', cause });
    const abort = (started: Dispatcher.DispatchController, reason: Error) => {
      released = connectionGone(pool);
      started.abort(reason);
    };
    const onAbort = () => {
      if (controller !== undefined) abort(controller, signal.reason);
      fail(signal.reason);
    };
    if (signal.aborted) return fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    pool.dispatch(options, {
      onRequestStart(started) {
        controller = started;
        if (signal.aborted) abort(started, signal.reason); // It aborted while the connection was made.
      },
      onResponseStart(_controller, statusCode, incoming) {
        if (statusCode < 200) return; // 1xx: the final response follows.
        status = statusCode;
        headers = joinHeaders(incoming);
      },
      onResponseData(started, chunk) {
        bytes += chunk.byteLength;
        if (bytes > MAX_RESPONSE_BYTES) abort(started, new Error('The response is too large.'));
        else chunks.push(chunk);
      },
      onResponseEnd() {
        const body = Buffer.concat(chunks, bytes).toString('utf8');
        settle({ kind: 'response', response: { status, headers, body } });
      },
      onResponseError(_controller, cause) {
        fail(cause);
      },
    });
  });
  return {
    result,
    released: result.then(() => released),
  };
}

/** Aborted requests that wait until their connection has gone, the longest first. */
const waiting = new WeakMap<Pool, (() => void)[]>();

/**
 * Called with each abort: the request's connection is destroyed at once and has gone a moment later. undici reports that a
 * connection of the pool has gone because of an abort, but not of which request; they go in the order of the aborts.
 */
function connectionGone(pool: Pool): Promise<void> {
  const line = waiting.get(pool) ?? watchAborted(pool);
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      line.splice(line.indexOf(done), 1);
      resolve();
    }, CONNECTION_CLOSE_TIMEOUT_MS);
    line.push(done);
  });
}

function watchAborted(pool: Pool): (() => void)[] {
  const line: (() => void)[] = [];
  waiting.set(pool, line);
  pool.on('disconnect', (_origin, _targets, { code, message }) => {
    if (code === 'UND_ERR_INFO' && message === 'aborted') line.shift()?.();
  });
  return line;
}

function joinHeaders(incoming: IncomingHeaders): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

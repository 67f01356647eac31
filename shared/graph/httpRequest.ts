import type { Dispatcher, Pool } from 'undici';
import { CONNECTION_CLOSE_TIMEOUT_MS, MAX_GRAPH_BODY_BYTES } from '../common/limits.ts';
import type { AttemptResult } from './graphAttempt.ts';

type IncomingHeaders = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2];

export interface HttpRequest {
  /** Settles with whatever comes first: the answer, a failure, or the signal, which also covers the time of connecting. */
  readonly result: Promise<AttemptResult>;
  /** Settles when the request holds no connection any more; after `result`, where it was given up. */
  readonly released: Promise<void>;
}

/** Sends one request over the pool and reads its answer whole. Follows no redirect, retries nothing. */
export function httpRequest(pool: Pool, options: Dispatcher.DispatchOptions, signal: AbortSignal): HttpRequest {
  let released: Promise<void> = Promise.resolve();
  const result = new Promise<AttemptResult>((resolve) => {
    let status = 0;
    let headers: Readonly<Record<string, string>> = {};
    const chunks: Buffer[] = [];
    let bytes = 0;
    let controller: Dispatcher.DispatchController | undefined;
    const settle = (outcome: AttemptResult) => {
      signal.removeEventListener('abort', abort);
      resolve(outcome);
    };
    const fail = (cause: unknown) =>
      settle({ kind: 'failed', phase: status === 0 ? 'beforeAnswer' : 'inAnswer', cause });
    const giveUp = (started: Dispatcher.DispatchController, reason: Error) => {
      released = connectionGone(pool);
      started.abort(reason);
    };
    const abort = () => {
      if (controller !== undefined) giveUp(controller, signal.reason);
      fail(signal.reason);
    };
    if (signal.aborted) return fail(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    pool.dispatch(options, {
      onRequestStart(started) {
        controller = started;
        if (signal.aborted) giveUp(started, signal.reason); // It aborted while the connection was made.
      },
      onResponseStart(_controller, statusCode, incoming) {
        if (statusCode < 200) return; // 1xx: the answer is still to come.
        status = statusCode;
        headers = joinHeaders(incoming);
      },
      onResponseData(started, chunk) {
        bytes += chunk.byteLength;
        if (bytes > MAX_GRAPH_BODY_BYTES) giveUp(started, new Error('The answer is too large.'));
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
  return {
    result,
    released: result.then(() => released),
  };
}

/** Those who wait for a connection that was given up, the longest first. */
const waiting = new WeakMap<Pool, (() => void)[]>();

/**
 * To be called with each abort: the request's connection is destroyed at once and gone a moment later. undici says of a
 * pool's connections which are gone because of an abort, not whose they were; they go in the order of the aborts.
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

import type { Pool } from 'undici';
import { KEEP_ALIVE_MS, MAX_CONNECTIONS_TO_GRAPH } from '../common/limits.ts';
import { type EarlyConnection, openEarly } from './earlyConnection.ts';

export interface ConnectionPool {
  /** Kept-alive connections to one origin. */
  readonly pool: Pool;
  /** Opens a connection that the next request takes. Failing is no failure: the request then opens one itself. */
  connectAhead(): void;
}

/** Loads undici. */
export async function createPool(origin: string): Promise<ConnectionPool> {
  const { buildConnector, Pool } = await import('./httpLibrary.ts');
  const connect = buildConnector({});
  let early: EarlyConnection | undefined;
  const pool = new Pool(origin, {
    connections: MAX_CONNECTIONS_TO_GRAPH,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0, // The attempt's signal is the one clock.
    bodyTimeout: 0,
    connect(options, callback) {
      const taken = early?.take();
      early = undefined;
      if (taken === undefined) return connect(options, callback);
      void taken.then((socket) => (socket === undefined ? connect(options, callback) : callback(null, socket)));
    },
  });
  return {
    pool,
    connectAhead() {
      early ??= openEarly(connect, origin);
    },
  };
}

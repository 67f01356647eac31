import type { Pool } from 'undici';
import { KEEP_ALIVE_MS, MAX_CONNECTIONS_TO_GRAPH } from '../limits.ts';

/** Kept-alive connections to one origin. Loads undici. */
export async function createPool(origin: string): Promise<Pool> {
  const { Pool } = await import('./httpLibrary.ts');
  return new Pool(origin, {
    connections: MAX_CONNECTIONS_TO_GRAPH,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0, // The exchange's signal is the one clock.
    bodyTimeout: 0,
  });
}

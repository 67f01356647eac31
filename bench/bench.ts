import { startChild } from './child.ts';
import type { CalledFunctions, Host, Load, LoadResult, Upstream } from './messages.ts';

/** The processes that every measurement shares: the upstream, the host and the load generator. */
export interface Bench {
  readonly upstream: Upstream;
  readonly host: Host;
  /** Lets the host send its requests to these functions, of the app that connected last. */
  serve(called: CalledFunctions): Promise<void>;
  /** Throws where a request failed: figures of a run with failures mean nothing. */
  runLoad(load: Load): Promise<LoadResult>;
  /** When the first byte of each piece came to the upload host since the last call, in epoch milliseconds. */
  firstBytes(): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** @param pace of the upload host: latency in ms, bytes per second */
export async function startBench(pace: readonly string[] = []): Promise<Bench> {
  const upstreamProcess = startChild('upstream.ts', pace, {});
  const hostProcess = startChild('host.ts', [], {});
  const loadProcess = startChild('load.ts', [], {});
  const [upstream, host] = await Promise.all([
    upstreamProcess.next('upstreamReady'),
    hostProcess.next('hostReady'),
    loadProcess.next('loadReady'),
  ]);
  return {
    upstream,
    host,
    async serve(called) {
      await hostProcess.ask({ kind: 'serve', called });
    },
    async runLoad(load) {
      const result = await loadProcess.ask({ kind: 'run', load });
      if (result.failures > 0)
        throw new Error(`${result.failures} requests failed at ${load.connections} connections.`);
      return result;
    },
    async firstBytes() {
      return (await upstreamProcess.ask({ kind: 'firstBytes' })).epochMs;
    },
    async close() {
      await Promise.all([loadProcess.end(), hostProcess.end(), upstreamProcess.end()]);
    },
  };
}

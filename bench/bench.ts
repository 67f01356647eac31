import { startChild } from './child.ts';
import type { CalledFunction, Host, Load, LoadResult, Upstream } from './messages.ts';

/** The processes that every measurement shares: the upstream, the host and the load generator. */
export interface Bench {
  readonly upstream: Upstream;
  readonly host: Host;
  /** Lets the host send its requests to this function, of the app that connected last. */
  serve(called: CalledFunction): Promise<void>;
  /** Throws where a request failed: figures of a run with failures mean nothing. */
  runLoad(load: Load): Promise<LoadResult>;
  close(): Promise<void>;
}

export async function startBench(): Promise<Bench> {
  const upstreamProcess = startChild('upstream.ts', [], {});
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
    async close() {
      await Promise.all([loadProcess.end(), hostProcess.end(), upstreamProcess.end()]);
    },
  };
}

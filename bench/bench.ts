import { type App, environmentOf } from './apps.ts';
import { startChild } from './processes/child.ts';
import type { Load, LoadResult, Server, Transfer, Usage } from './processes/messages.ts';

/** The processes that all measurements share: the upstream, the host and the load generator. */
export interface Bench {
  readonly host: Server;
  readonly uploadHost: Server;
  /** Starts an app, lets the host send it all further requests, and sends the first one. */
  startApp(app: App): Promise<RunningApp>;
  /** Throws if a request fails, because a run with failures measures something else. */
  runLoad(load: Load): Promise<LoadResult>;
  /** Returns the time in seconds. Throws if a request fails. */
  sendFiles(transfer: Transfer): Promise<number>;
  close(): Promise<void>;
}

export interface RunningApp {
  readonly loadMs: number;
  usage(): Promise<Usage>;
  end(): Promise<void>;
}

export async function startBench(): Promise<Bench> {
  const upstreamProcess = startChild('upstream.ts');
  const hostProcess = startChild('host.ts');
  const loadProcess = startChild('load.ts');
  const [upstream, host] = await Promise.all([
    upstreamProcess.next('upstreamReady'),
    hostProcess.next('hostReady'),
    loadProcess.next('loadReady'),
  ]);

  async function runLoad(load: Load): Promise<LoadResult> {
    const result = await loadProcess.call({ kind: 'load', load });
    if (result.failures > 0) throw new Error(`${result.failures} requests failed at ${load.connections} connections.`);
    return result;
  }

  return {
    host,
    uploadHost: { url: upstream.graphUrl, pathPrefix: '' },
    runLoad,
    async startApp(app) {
      const args = [app.root, app.functions.join(), host.channelAddress];
      const worker = startChild('worker.ts', args, environmentOf(app, upstream));
      const { loadMs, called } = await worker.next('workerReady');
      await hostProcess.call({ kind: 'serve', called });
      await runLoad({ server: host, connections: 1, length: { requests: 1 } });
      return { loadMs, usage: () => worker.call({ kind: 'usage' }), end: worker.end };
    },
    async sendFiles(transfer) {
      const { seconds, failures } = await loadProcess.call({ kind: 'send', transfer });
      if (failures.length > 0) throw new Error(`${transfer.way}: ${failures[0]}`);
      return seconds;
    },
    async close() {
      await Promise.all([loadProcess.end(), hostProcess.end(), upstreamProcess.end()]);
    },
  };
}

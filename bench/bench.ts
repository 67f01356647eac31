import { type App, environmentOf } from './apps.ts';
import { startChild } from './processes/child.ts';
import type { Load, LoadResult, Server, Transfer, Usage } from './processes/messages.ts';

/** The processes that all measurements share: the upstream, the host and the load generator. */
export interface Bench {
  readonly host: Server;
  readonly uploadHost: Server;
  /** Starts an app, lets the host send it all further requests, and sends the first one. */
  startApp(app: App): Promise<RunningApp>;
  runLoad(load: Load): Promise<LoadResult>;
  /** Returns the time in seconds. */
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
  return {
    host,
    uploadHost: { url: upstream.graphUrl, pathPrefix: '' },
    async startApp(app) {
      const args = [app.root, app.functions.join(), host.channelAddress];
      const worker = startChild('worker.ts', args, environmentOf(app, upstream));
      const { loadMs, called } = await worker.next('workerReady');
      await hostProcess.call({ kind: 'serve', called });
      await loadProcess.call({ kind: 'load', load: { server: host, connections: 1, length: { requests: 1 } } });
      return { loadMs, usage: () => worker.call({ kind: 'usage' }), end: worker.end };
    },
    runLoad: (load) => loadProcess.call({ kind: 'load', load }),
    sendFiles: async (transfer) => (await loadProcess.call({ kind: 'send', transfer })).seconds,
    async close() {
      await Promise.all([loadProcess.end(), hostProcess.end(), upstreamProcess.end()]);
    },
  };
}

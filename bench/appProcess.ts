import { type App, environmentOf } from './apps.ts';
import type { Bench } from './bench.ts';
import { startChild } from './child.ts';
import type { Usage } from './messages.ts';

/** An app in a fresh process that has answered its first request; the host sends its requests there. */
export interface AppProcess {
  readonly loadMs: number;
  /** From the start of loading until the first request was answered. */
  readonly firstResponseMs: number;
  usage(): Promise<Usage>;
  end(): Promise<void>;
}

export async function startApp(bench: Bench, app: App, execArgv: readonly string[] = []): Promise<AppProcess> {
  const args = [app.root, app.functionName, bench.host.channelAddress];
  const child = startChild('driver/main.ts', args, environmentOf(app, bench.upstream), execArgv);
  const { loadMs, called } = await child.next('started');
  await bench.serve(called);
  await bench.runLoad({ server: bench.host, connections: 1, length: { requests: 1 }, mailboxes: 1 });
  const { firstResponseMs } = await child.ask({ kind: 'usage' });
  return { loadMs, firstResponseMs, usage: () => child.ask({ kind: 'usage' }), end: child.end };
}

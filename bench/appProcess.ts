import { type App, environmentOf } from './apps.ts';
import type { Bench } from './bench.ts';
import { startChild } from './child.ts';
import type { Usage } from './messages.ts';

/** An app in a fresh process; the host sends its requests there. */
export interface AppProcess {
  readonly loadMs: number;
  usage(): Promise<Usage>;
  end(): Promise<void>;
}

/** Starts an app and sends it one request. */
export async function startApp(
  bench: Bench,
  app: App,
  execArgv: readonly string[] = [],
): Promise<AppProcess & { readonly firstResponseMs: number }> {
  const started = await launchApp(bench, app, execArgv);
  await bench.runLoad({ server: bench.host, connections: 1, length: { requests: 1 }, mailboxes: 1 });
  const { firstResponseMs } = await started.usage();
  return { ...started, firstResponseMs };
}

export async function launchApp(bench: Bench, app: App, execArgv: readonly string[] = []): Promise<AppProcess> {
  const args = [app.root, app.functions.join(), bench.host.channelAddress];
  const child = startChild('driver/main.ts', args, environmentOf(app, bench.upstream), execArgv);
  const { loadMs, called } = await child.next('started');
  await bench.serve(called);
  return { loadMs, usage: () => child.ask({ kind: 'usage' }), end: child.end };
}

import { setTimeout as delay } from 'node:timers/promises';
import type { HostTimes } from './hostTimes.ts';
import type { HostLog } from './log.ts';
import type { Worker } from './runInvocation.ts';
import { createStreamForwarder } from './streamForwarder.ts';
import type { WorkerProcess } from './workerProcess.ts';

/**
 * Keeps one worker running, by restarting one that ends (Azure Functions host: RpcFunctionInvocationDispatcher). The
 * platform's host restarts itself at the third crash within half an hour. This one continues, with the same delay between
 * two restarts.
 */
export async function superviseWorker(startProcess: () => Promise<WorkerProcess>, times: HostTimes, log: HostLog) {
  const stopping = new AbortController();
  let mayRestart: Promise<unknown> = Promise.resolve();
  let latest = await start();
  let current = Promise.resolve(latest);
  let replaced: WorkerProcess | undefined;
  // An app that ends its first worker while it loads would end every other one too.
  if (latest.app.functions.length > 0) watch(latest);

  async function start(): Promise<Worker & WorkerProcess> {
    const process = await startProcess();
    const uri = process.app.capabilities['HttpUri'];
    return { ...process, forwarder: uri === undefined ? undefined : createStreamForwarder(uri, times) };
  }

  function watch(worker: WorkerProcess): void {
    void worker.crashed.then(() => (worker === latest ? replaceLatest(async () => undefined) : undefined));
  }

  function replaceLatest(end: () => Promise<void>): Promise<unknown> {
    if (replaced === latest) return mayRestart;
    replaced = latest;
    const restarted = Promise.all([mayRestart, end()]).then(async () => {
      stopping.signal.throwIfAborted();
      latest.forwarder?.close();
      log({ level: 'warning', category: 'host', message: 'Restarting the worker process.' });
      latest = await start();
      watch(latest);
      return latest;
    });
    current = restarted;
    mayRestart = restarted
      .then(() => delay(times.restartWaitMs, undefined, { ref: false, signal: stopping.signal }))
      .catch(() => undefined);
    return mayRestart;
  }

  return {
    /** The newest worker, which may have ended already. */
    get latest(): WorkerProcess {
      return latest;
    },
    ready: (): Promise<Worker> => current,
    async restart(worker: Worker): Promise<void> {
      await (worker === latest ? replaceLatest(() => latest.stop()) : mayRestart);
    },
    async stop(): Promise<void> {
      stopping.abort(new Error('The host is closing.'));
      await current.catch(() => undefined);
      await latest.stop();
      latest.forwarder?.close();
    },
  };
}

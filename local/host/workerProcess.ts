import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { within } from '../within.ts';
import type { HostLog } from './log.ts';
import {
  type HostMessage,
  type InvocationOutcome,
  type InvocationRequest,
  isWorkerMessage,
  type StartedApp,
} from './messages.ts';

export type WorkerProcess = Awaited<ReturnType<typeof startWorkerProcess>>;

/** The platform gives a worker 60 s to start (Azure Functions host: WorkerProcessCountOptions). */
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;

/** Starts the worker and waits until it has tried to load the app. Rejects if the directory does not exist. */
export async function startWorkerProcess(
  appRoot: string,
  env: NodeJS.ProcessEnv,
  log: HostLog,
  missingMembers: readonly string[] = [],
) {
  const child = fork(path.join(import.meta.dirname, 'worker', 'main.ts'), [appRoot, ...missingMembers], {
    cwd: appRoot,
    env,
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const calls = new Map<string, (outcome: InvocationOutcome) => void>();
  const started = Promise.withResolvers<StartedApp>();
  const crashed = Promise.withResolvers<void>();
  let isStopping = false;

  relayLines(child.stdout, (message) => log({ level: 'information', category: 'stdout', message }));
  relayLines(child.stderr, (message) => log({ level: 'error', category: 'stderr', message }));
  child.on('message', (message: unknown) => {
    if (!isWorkerMessage(message)) return;
    switch (message.kind) {
      case 'started':
        started.resolve(message);
        break;
      case 'log': {
        const { kind: _, ...line } = message;
        log(line);
        break;
      }
      case 'invocationEnded':
        calls.get(message.invocationId)?.(message.outcome);
        calls.delete(message.invocationId);
        break;
    }
  });
  child.once('exit', (code, signal) => {
    const message = `The worker process ended (${signal ?? `exit code ${code}`}).`;
    started.resolve({ capabilities: {}, functions: [], error: message });
    for (const end of calls.values()) {
      end({ kind: 'crashed' });
    }
    calls.clear();
    if (!isStopping) {
      log({ level: 'error', category: 'host', message });
      crashed.resolve();
    }
  });
  // Unlike `exit`, `close` comes after the last line of output.
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.on('error', started.reject);
  const isAlive = () => child.exitCode === null && child.signalCode === null;
  const app = (await within(started.promise, START_TIMEOUT_MS)) ?? {
    capabilities: {},
    functions: [],
    error: `The worker did not start within ${START_TIMEOUT_MS} ms.`,
  };

  return {
    pid: child.pid ?? 0,
    app,
    /** Resolves if the process ends on its own or is killed; never after `stop`. */
    crashed: crashed.promise,
    /** Never rejects: if the worker ends, its calls end as `crashed`. */
    invoke: (request: InvocationRequest) =>
      new Promise<InvocationOutcome>((resolve) => {
        if (!child.connected) {
          resolve({ kind: 'crashed' });
          return;
        }
        calls.set(request.invocationId, resolve);
        post(child, { kind: 'invoke', ...request });
      }),
    /** Runs the appTerminate hooks, then ends the process, by force after a timeout. */
    async stop(): Promise<void> {
      isStopping = true;
      if (child.connected) post(child, { kind: 'terminate' });
      await within(closed, STOP_TIMEOUT_MS);
      if (isAlive()) {
        child.kill('SIGKILL');
        await within(closed, STOP_TIMEOUT_MS);
      }
    },
  };
}

/** If the channel closes meanwhile, the process has ended. */
function post(child: ChildProcess, message: HostMessage): void {
  child.send(message, () => undefined);
}

function relayLines(stream: Readable | null, write: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream }).on('line', write);
}

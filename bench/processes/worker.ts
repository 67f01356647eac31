import { type AppRegistry, installCoreApi } from '../../local/host/worker/coreApi.ts';
import type { HookName, Logger } from '../../local/host/worker/coreTypes.ts';
import { createHookRegistry, type HookRegistry } from '../../local/host/worker/hooks.ts';
import { invoke } from '../../local/host/worker/invoke.ts';
import { loadApp } from '../../local/host/worker/loadApp.ts';
import { connectToHost, LOG_CATEGORIES, LOG_LEVELS } from './eventStream.ts';
import { listenToParent, tellParent } from './listenToParent.ts';
import type { CalledFunctions } from './messages.ts';

// The process that is measured: loads an app and runs its functions as the Node worker does. Arguments: the app's folder,
// the names of the functions to call, separated by commas, and the address of the host's event stream.

const [, , appRoot = '', functionNames = '', channelAddress = ''] = process.argv;
const WORKER_ID = '00000000-0000-4000-8000-000000000001';

const host = await connectToHost(channelAddress, WORKER_ID);
const appHookData = {};
const hooks = createHookRegistry(appHookData);
const hookNames = new Set<HookName>();
const registry: AppRegistry = { functions: new Map(), programmingModel: undefined, isMetadataServed: false };
let invocations = 0;
let firstResponseMs = Number.NaN;

/** The app's own lines pass the log hooks first. */
function loggerOf(invocationId?: string, contextOf?: () => unknown): Logger {
  return (level, category, message) => {
    const line =
      category === 'user'
        ? hooks.runLog({ level, category, message, invocationContext: contextOf?.() })
        : { level, category, message };
    host.log({
      ...(invocationId !== undefined && { invocationId, category: `${functionNames}.Invocation` }),
      level: LOG_LEVELS.indexOf(line.level),
      message: line.message,
      logCategory: LOG_CATEGORIES.indexOf(category),
    });
  };
}

/** Logs around the hooks as the Node worker does (its executeHooks). */
function hooksLoggedTo(log: Logger): HookRegistry {
  return {
    ...hooks,
    async run(name, context) {
      if (!hookNames.has(name)) return;
      log('debug', 'system', `Executing 1 "${name}" hooks`);
      await hooks.run(name, context);
      log('debug', 'system', `Executed "${name}" hooks`);
    },
  };
}

async function load(): Promise<{ httpUri?: string }> {
  await loadApp(appRoot);
  await hooksLoggedTo(loggerOf()).run('appStart', { hookData: {}, appHookData, functionAppDirectory: appRoot });
  const capabilities = await registry.programmingModel?.getCapabilities({});
  registry.isMetadataServed = true;
  const httpUri = capabilities?.['HttpUri'];
  return httpUri === undefined ? {} : { httpUri };
}

function serve(startedAt: number): CalledFunctions['metadata'] {
  const model = registry.programmingModel;
  const names = functionNames.split(',');
  const called = new Map([...registry.functions].filter(([, { metadata }]) => names.includes(metadata.name)));
  if (model === undefined || called.size < names.length) throw new Error(`${appRoot} does not register ${names}.`);
  host.serve(async (request) => {
    const { invocationId } = request;
    const log = loggerOf(invocationId);
    // As the Node worker's InvocationHandler.
    log('debug', 'system', `Worker ${WORKER_ID} received FunctionInvocationRequest with invocationId ${invocationId}`);
    const invoker = { model, hooks: hooksLoggedTo(log), appHookData, logOf: loggerOf };
    const outcome = await invoke(invoker, called.get(request.functionId), request);
    if (invocations === 0) firstResponseMs = performance.now() - startedAt;
    invocations += 1;
    return outcome;
  });
  return [...called.values()].map(({ id, metadata }) => ({ ...metadata, functionId: id }));
}

const register: HookRegistry['register'] = (name, callback) => {
  hookNames.add(name);
  return hooks.register(name, callback);
};
installCoreApi(registry, { ...hooks, register }, loggerOf());
const startedAt = performance.now();
const streaming = await load();
const loadMs = performance.now() - startedAt;
const metadata = serve(startedAt);

listenToParent(async ({ kind }) => {
  if (kind !== 'usage') throw new Error(`The worker does not know "${kind}".`);
  const { user, system } = process.cpuUsage();
  const peakMemoryMib = process.resourceUsage().maxRSS / 1024;
  return { kind, cpuMs: (user + system) / 1000, invocations, firstResponseMs, peakMemoryMib };
});
tellParent({ kind: 'workerReady', loadMs, called: { metadata, ...streaming } });

import { isHostMessage, type StartedApp, type WorkerMessage } from '../messages.ts';
import { type AppRegistry, DEFAULT_MODEL, installCoreApi } from './coreApi.ts';
import type { Logger } from './coreTypes.ts';
import { createHookRegistry } from './hooks.ts';
import { type Invoker, invoke } from './invoke.ts';
import { loadApp } from './loadApp.ts';
import { createMissingMembers } from './missingMembers.ts';

// The worker process: loads the app named by the first argument and calls its functions, as the Node worker of Azure
// Functions does. The other arguments name members that its API does not have, for tests. Only the host starts this file.

/** The Node worker's capabilities before the app adds its own (WorkerInitHandler). */
const WORKER_CAPABILITIES = [
  'RawHttpBodyBytes',
  'RpcHttpTriggerMetadataRemoved',
  'RpcHttpBodyOnly',
  'IgnoreEmptyValuedRpcHttpHeaders',
  'UseNullableValueDictionaryForHttp',
  'WorkerStatus',
  'TypedDataCollection',
  'HandlesWorkerTerminateMessage',
];

const appHookData = {};
const hooks = createHookRegistry(appHookData);
const registry: AppRegistry = { functions: new Map(), programmingModel: DEFAULT_MODEL, isMetadataServed: false };

function send(message: WorkerMessage): void {
  if (process.connected) process.send?.(message);
}

function logOf(invocationId?: string, contextOf?: () => unknown): Logger {
  return (level, category, message) => {
    // Hooks see the app's own lines only.
    const line =
      category === 'user'
        ? hooks.runLog({ level, category, message, invocationContext: contextOf?.() })
        : { level, category, message };
    if (line.level !== 'none') {
      send({
        kind: 'log',
        level: line.level,
        category,
        message: line.message,
        ...(invocationId !== undefined && { invocationId }),
      });
    }
  };
}

async function startApp(appRoot: string): Promise<StartedApp> {
  try {
    await loadApp(appRoot);
    await hooks.run('appStart', { hookData: {}, appHookData, functionAppDirectory: appRoot });
  } catch (error) {
    return {
      capabilities: {},
      functions: [],
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
  const own = Object.fromEntries(WORKER_CAPABILITIES.map((name) => [name, 'true']));
  const capabilities = (await registry.programmingModel?.getCapabilities(own)) ?? own;
  registry.isMetadataServed = true;
  return {
    capabilities,
    functions: [...registry.functions.values()].map(({ id, metadata }) => ({ ...metadata, functionId: id })),
  };
}

async function terminate(): Promise<void> {
  try {
    await hooks.run('appTerminate', { hookData: {}, appHookData });
  } catch (error) {
    console.error('An appTerminate hook failed:', error);
  } finally {
    process.exit();
  }
}

function listen(): void {
  process.on('message', (message: unknown) => {
    if (!isHostMessage(message)) return;
    if (message.kind === 'terminate') {
      void terminate();
      return;
    }
    const model = registry.programmingModel;
    const { invocationId } = message;
    if (model !== undefined) {
      const invoker: Invoker = { model, hooks, appHookData, logOf, without };
      void invoke(invoker, registry.functions.get(message.functionId), message).then((outcome) =>
        send({ kind: 'invocationEnded', invocationId, outcome }),
      );
    }
  });
  // A signal sent to the whole process group reaches both processes; the host decides when the worker ends.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  process.on('disconnect', () => process.exit());
}

const [, , appRoot = process.cwd(), ...missingNames] = process.argv;
const without = createMissingMembers(missingNames);
installCoreApi(registry, hooks, logOf(), without);
listen();
send({ kind: 'started', ...(await startApp(appRoot)) });

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createModules } from '../functions/cachedModules.ts';
import { type AppRegistry, installCoreApi } from '../local/host/worker/coreApi.ts';
import { createHookRegistry } from '../local/host/worker/hooks.ts';

const SELF = fileURLToPath(import.meta.url);

/** Loads the built app, with every library, in a process of its own, and writes V8's code cache beside each file. */
export async function writeCodeCache(folder: string, files: readonly string[]): Promise<void> {
  const child = fork(SELF, [folder, ...files], { env: {}, execArgv: [] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`The code cache could not be made: exit code ${code}.`);
}

if (process.argv[1] === SELF) {
  const [, , folder = '', ...files] = process.argv;
  const registry: AppRegistry = { functions: new Map(), programmingModel: undefined, isMetadataServed: false };
  installCoreApi(registry, createHookRegistry({}), () => undefined);
  const modules = createModules(folder, createRequire(SELF));
  for (const file of files) modules.load(`./${file}`);
  modules.writeCaches();
  process.exit();
}

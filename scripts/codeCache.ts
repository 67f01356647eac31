import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createModules } from '../functions/cachedModules.ts';
import { createCertificate } from '../local/emulators/common/certificate.ts';
import { startGraphEmulator } from '../local/emulators/graph/graph.ts';
import { ADELE } from '../local/emulators/graph/seed.ts';
import { startIdentityEmulator } from '../local/emulators/managedIdentity/identity.ts';
import { type AppRegistry, installCoreApi } from '../local/host/worker/coreApi.ts';
import { createHookRegistry } from '../local/host/worker/hooks.ts';
import { invoke } from '../local/host/worker/invoke.ts';

const SELF = fileURLToPath(import.meta.url);
const TRUST_EMULATOR = { NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' };

/**
 * Loads these files of the built app in a process of its own, lets it answer one request, and writes beside each file what V8 has
 * compiled of it by then.
 */
export async function writeCodeCache(folder: string, files: readonly string[]): Promise<void> {
  const child = fork(SELF, [folder, ...files], {
    env: TRUST_EMULATOR,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`The code cache could not be made: exit code ${code}.`);
}

async function loadAndAnswer(folder: string, files: readonly string[]): Promise<void> {
  const identity = await startIdentityEmulator();
  const graph = await startGraphEmulator({ certificate: await createCertificate(), tokens: identity.tokens });
  const settings = { GRAPH_BASE_URL: graph.url, GRAPH_CREDENTIAL: 'managedIdentity', ALLOW_ANY_MAILBOX: 'true' };
  Object.assign(process.env, identity.env, settings);
  const registry: AppRegistry = { functions: new Map(), programmingModel: undefined, isMetadataServed: false };
  const hooks = createHookRegistry({});
  installCoreApi(registry, hooks, () => undefined);
  const modules = createModules(folder, createRequire(SELF));
  for (const file of files) modules.load(`./${file}`);
  const status = await answerOne(registry, hooks);
  if (status !== 201) throw new Error(`The app answered ${status}.`);
  modules.writeCaches();
}

async function answerOne(
  { programmingModel: model, functions }: AppRegistry,
  hooks: ReturnType<typeof createHookRegistry>,
): Promise<number> {
  const called = [...functions.values()].find(({ metadata }) => metadata.name === 'zGraphPaths');
  if (model === undefined || called === undefined) throw new Error('The app registers nothing.');
  const { HttpUri = '' } = await model.getCapabilities({});
  const path = `users/${ADELE.userPrincipalName}/messages/${ADELE.items.message[0]}/attachments/createUploadSession`;
  const invocationId = randomUUID();
  void invoke({ model, hooks, appHookData: {}, logOf: () => () => undefined }, called, {
    invocationId,
    functionId: called.id,
    inputData: [],
    triggerMetadata: { path: { string: path } },
    traceContext: { traceParent: '', traceState: '', attributes: {} },
  });
  const answer = await fetch(`${HttpUri}api/${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-ms-invocation-id': invocationId,
      'x-forwarded-host': 'localhost',
      'x-forwarded-proto': 'http',
    },
    body: JSON.stringify({ AttachmentItem: { attachmentType: 'file', name: 'report.pdf', size: 5_242_880 } }),
  });
  return answer.status;
}

if (process.argv[1] === SELF) {
  const [, , folder = '', ...files] = process.argv;
  await loadAndAnswer(folder, files);
  process.exit();
}

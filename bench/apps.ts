import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Upstream } from './processes/messages.ts';
import { MAILBOX_DOMAIN } from './processes/requests.ts';

/** A function app to measure. */
export interface App {
  readonly name: string;
  readonly root: string;
  /** The functions that receive the requests. */
  readonly functions: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
}

const ROOT = join(import.meta.dirname, '..');

const POLICY = {
  callers: [{ name: 'Bench', functionKey: true, mailboxes: [`*@${MAILBOX_DOMAIN}`], kinds: ['message', 'event'] }],
};

export const HELLO = peer('hello-world', 'hello');
export const PLAIN_FORWARD = peer('plain forward', 'plainForward');
export const PLAIN_BUILD = peer('plain build', 'plainBuild', 'createUploadSession');

function peer(name: string, folder: string, functionName = folder): App {
  return { name, root: join(import.meta.dirname, 'peers', folder), functions: [functionName], settings: {} };
}

/** Copies the built product as it is deployed, without node_modules, so that a later build does not change it. */
export function copyProduct(): App & { remove(): void } {
  const root = mkdtempSync(join(tmpdir(), 'bench-product-'));
  for (const part of ['dist', 'host.json', 'package.json']) {
    cpSync(join(ROOT, part), join(root, part), { recursive: true });
  }
  return {
    name: 'product',
    root,
    functions: ['zGraphPaths'],
    settings: { POLICY: JSON.stringify(POLICY) },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** The product with its own upload sessions, which need storage. */
export function withUploads(product: App, storageConnectionString: string): App {
  const settings = { ...product.settings, UPLOAD_URL: 'proxy', AzureWebJobsStorage: storageConnectionString };
  return { ...product, functions: [...product.functions, 'uploadSession'], settings };
}

/** The environment of every app, with the app's own settings. */
export function environmentOf(app: App, upstream: Upstream): Record<string, string> {
  return {
    ...upstream.identityEnv,
    NODE_EXTRA_CA_CERTS: upstream.caPath,
    GRAPH_BASE_URL: upstream.graphUrl,
    GRAPH_CREDENTIAL: 'managedIdentity',
    ...app.settings,
  };
}

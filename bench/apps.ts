import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Upstream } from './messages.ts';
import { MAILBOX_DOMAIN } from './request.ts';

/** A function app to measure. */
export interface App {
  readonly name: string;
  readonly root: string;
  /** The functions that get the requests. */
  readonly functions: readonly string[];
  readonly bodyMode: 'streaming' | 'buffered';
  readonly settings: Readonly<Record<string, string>>;
}

const ROOT = join(import.meta.dirname, '..');

const POLICY = {
  callers: [{ name: 'Bench', functionKey: true, mailboxes: [`*@${MAILBOX_DOMAIN}`], kinds: ['message', 'event'] }],
};

export const PRODUCT: App = {
  name: 'product',
  root: ROOT,
  functions: ['zGraphPaths'],
  bodyMode: 'streaming',
  settings: { POLICY: JSON.stringify(POLICY) },
};

export const HELLO: App = { name: 'hello-world', ...peer('hello'), functions: ['hello'], bodyMode: 'streaming' };

export const PLAIN_FORWARD: App = {
  name: 'plain forward',
  ...peer('plainForward'),
  functions: ['plainForward'],
  bodyMode: 'streaming',
};

export const PLAIN_BUILD: App = {
  name: 'plain build',
  ...peer('plainBuild'),
  functions: ['createUploadSession'],
  bodyMode: 'buffered',
};

/** Takes the bytes and does nothing with them. */
export const READER: App = { name: 'reader', ...peer('reader'), functions: ['reader'], bodyMode: 'streaming' };

/** Sends them on to the upload host and checks nothing. */
export const PIPE: App = { name: 'plain pipe', ...peer('pipe'), functions: ['pipe'], bodyMode: 'streaming' };

export const APPS: readonly App[] = [PRODUCT, HELLO, PLAIN_FORWARD, PLAIN_BUILD];

function peer(folder: string): Pick<App, 'root' | 'settings'> {
  return { root: join(import.meta.dirname, 'peers', folder), settings: {} };
}

/** The built product as it is deployed: a folder of its own, without node_modules, that no later build touches. */
export function copyProduct(): { app: App; remove(): void } {
  const root = mkdtempSync(join(tmpdir(), 'bench-product-'));
  for (const part of ['dist', 'host.json', 'package.json']) {
    cpSync(join(ROOT, part), join(root, part), { recursive: true });
  }
  return { app: { ...PRODUCT, root }, remove: () => rmSync(root, { recursive: true, force: true }) };
}

/** The environment that every app gets alike, with its own settings over it. */
export function environmentOf(app: App, upstream: Upstream): Record<string, string> {
  return {
    ...upstream.identityEnv,
    NODE_EXTRA_CA_CERTS: upstream.caPath,
    GRAPH_BASE_URL: upstream.graphUrl,
    GRAPH_CREDENTIAL: 'managedIdentity',
    ...app.settings,
  };
}

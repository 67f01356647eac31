import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import type { HostLogLine } from '../../../local/host/log.ts';
import { startHost } from '../../../local/host/startHost.ts';

export interface ThrowingApp {
  readonly url: string;
  readonly lines: readonly HostLogLine[];
  close(): Promise<void>;
}

/** Bundles the throwing app into a temporary folder and starts the local host on it. */
export async function startThrowingApp(): Promise<ThrowingApp> {
  const appRoot = await mkdtemp(path.join(tmpdir(), 'throwing-app-'));
  for (const file of ['host.json', 'package.json']) await cp(path.join(__dirname, file), path.join(appRoot, file));
  await build({
    entryPoints: [path.join(__dirname, 'functions.ts')],
    outfile: path.join(appRoot, 'functions.cjs'),
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node22',
    external: ['@azure/functions-core'],
    logLevel: 'warning',
  });
  const lines: HostLogLine[] = [];
  const host = await startHost({ appRoot, log: (line) => lines.push(line) });
  return {
    url: host.url,
    lines,
    async close() {
      await host.close();
      await rm(appRoot, { recursive: true });
    },
  };
}

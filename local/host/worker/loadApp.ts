import { globSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { member, readJson } from '../settings.ts';

/**
 * Loads the files that `main` of the app's package.json names (a glob relative to the app's root) one after another.
 * Throws if nothing matches, or a file throws.
 */
export async function loadApp(appRoot: string): Promise<void> {
  const packageJson = readJson(path.join(appRoot, 'package.json'));
  const main = member(packageJson, 'main');
  if (typeof main !== 'string') throw new Error('package.json has no "main".');
  const files = globSync(main, { cwd: appRoot });
  if (files.length === 0) {
    throw new Error(`Worker was unable to load entry point "${main}": Found zero files matching the supplied pattern`);
  }
  for (const file of files) {
    await loadFile(path.resolve(appRoot, file), member(packageJson, 'type') === 'module');
  }
}

async function loadFile(file: string, isModulePackage: boolean): Promise<void> {
  if (file.endsWith('.mjs') || (!file.endsWith('.cjs') && isModulePackage)) {
    await import(pathToFileURL(file).href);
  } else {
    createRequire(file)(file);
  }
}

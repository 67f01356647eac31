import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Loads the files that `main` of the app's package.json names (a glob relative to the app's root) one after another.
 * Throws when nothing matches, and whatever a file throws.
 */
export async function loadApp(appRoot: string): Promise<void> {
  const { main, type } = readPackage(path.join(appRoot, 'package.json'));
  if (main === undefined) {
    throw new Error('package.json has no "main".');
  }
  const files = globSync(main, { cwd: appRoot });
  if (files.length === 0) {
    throw new Error(`Worker was unable to load entry point "${main}": Found zero files matching the supplied pattern`);
  }
  for (const file of files) {
    await loadFile(path.resolve(appRoot, file), type);
  }
}

function readPackage(file: string): { main?: string; type?: string } {
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof parsed !== 'object' || parsed === null) {
    throw new Error('package.json is not an object.');
  }
  return {
    ...('main' in parsed && typeof parsed.main === 'string' && { main: parsed.main }),
    ...('type' in parsed && typeof parsed.type === 'string' && { type: parsed.type }),
  };
}

async function loadFile(file: string, packageType: string | undefined): Promise<void> {
  const isEsModule = file.endsWith('.mjs') || (!file.endsWith('.cjs') && packageType === 'module');
  if (isEsModule) {
    await import(pathToFileURL(file).href);
  } else {
    createRequire(file)(file);
  }
}

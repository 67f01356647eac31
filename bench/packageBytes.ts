import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { deflateRawSync } from 'node:zlib';

/** The entries that a zip file adds to each file: a local and a central header of 76 bytes, and the name in both. */
const ZIP_ENTRY_BYTES = 76;

/** The size of a zip with every file of the folder, and with the packages it depends on where it is not a bundle. */
export function packageBytes(folder: string, bundled: boolean): number {
  const packages = bundled ? [folder] : [folder, ...dependenciesOf(folder, new Set())];
  return packages.reduce((sum, root) => sum + zippedBytes(root), 0);
}

function zippedBytes(root: string): number {
  return filesIn(root).reduce((sum, file) => {
    const content = deflateRawSync(readFileSync(file), { level: 9 }).length;
    return sum + content + ZIP_ENTRY_BYTES + 2 * relative(root, file).length;
  }, 0);
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules') return []; // Its packages are counted one by one.
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesIn(path) : [path];
  });
}

/** The folders of all packages that a deployment with node_modules holds. */
function dependenciesOf(folder: string, found: Set<string>): Set<string> {
  const manifest: { dependencies?: Record<string, string> } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    const path = findPackage(name, folder);
    if (!found.has(path)) {
      found.add(path);
      dependenciesOf(path, found);
    }
  }
  return found;
}

function findPackage(name: string, from: string): string {
  const path = join(from, 'node_modules', name);
  if (existsSync(join(path, 'package.json'))) return path;
  if (dirname(from) === from) throw new Error(`The package ${name} is not installed.`);
  return findPackage(name, dirname(from));
}

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';

/** What a module's code gets: Node's own wrapper (nodejs.org/api/modules.html, The module wrapper). */
const WRAPPER = '(function (exports, require, module, __filename, __dirname) {';

/** The files of the build beside one another, each loaded once. */
export interface Modules {
  /** @param id as in the built code: `./name.cjs` */
  load(id: string): unknown;
  /** Writes beside each file that was loaded what V8 has compiled of it so far. For the build. */
  writeCaches(): void;
}

/**
 * Loads the app's files with the code that V8 compiled when they were built (nodejs.org/api/vm.html, script.createCachedData): a
 * start compiles nothing. The cache is of the very Node that built it, and V8 checks it besides; any other compiles as ever.
 *
 * @param require Node's own, for everything that is not beside
 */
export function createModules(folder: string, require: (id: string) => unknown): Modules {
  const modules = new Map<string, { exports: unknown; script: Script }>();

  function load(id: string): unknown {
    const loaded = modules.get(id);
    if (loaded !== undefined) return loaded.exports;
    const filename = join(folder, id);
    const cachedData = readCache(filename);
    const script = new Script(`${WRAPPER}${readFileSync(filename, 'utf8')}\n})`, {
      filename,
      columnOffset: -WRAPPER.length, // A stack names the file's own columns, by which its source map is read.
      ...(cachedData !== undefined && { cachedData }),
    });
    const module = { exports: {}, script };
    modules.set(id, module);
    try {
      script.runInThisContext()(module.exports, requireBeside, module, filename, dirname(filename));
    } catch (error) {
      modules.delete(id); // As Node's own loader does: the next load must not get a half of it.
      throw error;
    }
    return module.exports;
  }

  const requireBeside = (id: string) => (id.startsWith('./') ? load(id) : require(id));

  return {
    load,
    writeCaches() {
      for (const [id, { script }] of modules) writeFileSync(cacheOf(join(folder, id)), script.createCachedData());
    },
  };
}

function cacheOf(filename: string): string {
  return `${filename}.${process.version}-${process.arch}.cache`;
}

function readCache(filename: string): Buffer | undefined {
  try {
    return readFileSync(cacheOf(filename));
  } catch {
    return undefined; // Another Node has built the app.
  }
}

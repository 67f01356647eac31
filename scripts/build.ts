import { rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';
import { compileValidators } from './compileValidators.ts';
import { writeDescriptions } from './describe/writeDescriptions.ts';
import { thirdPartyLicenses } from './thirdPartyLicenses.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Files that only re-export a package; each becomes a file of its own, loaded when it is first imported. */
const LIBRARIES = [
  'shared/graph/identityLibrary.ts',
  'shared/graph/graphLibrary.ts',
  'shared/graph/httpLibrary.ts',
  'shared/graph/cacheLibrary.ts',
  'shared/caller/tokenLibrary.ts',
  'shared/source/sourceLibrary.ts',
  'shared/telemetry/telemetryLibrary.ts',
  'shared/upload/storageLibrary.ts',
];

/**
 * These packages publish their TypeScript source beside a build for old engines, whose generators and WeakMaps in place of
 * async functions and private fields cost 40 % of the CPU per request (docs/decisions.md). The source is bundled.
 */
const LIBRARY_SOURCES = {
  '@azure/functions': `${ROOT}/node_modules/@azure/functions/src/index.ts`,
  // Its ES module build has no named exports.
  '@azure/functions-extensions-base': `${ROOT}/node_modules/@azure/functions-extensions-base/dist/azure-functions-extensions-base.js`,
  '@microsoft/microsoft-graph-client': `${ROOT}/node_modules/@microsoft/microsoft-graph-client/src/index.ts`,
};

/** Leaves dynamic imports of the library files as they are, pointed at the files beside main.cjs. */
const lazyLibraries: Plugin = {
  name: 'lazy-libraries',
  setup({ onResolve }) {
    onResolve({ filter: /Library\.ts$/ }, ({ path, kind }) => {
      return kind === 'dynamic-import' ? { path: `./${basename(path, '.ts')}.cjs`, external: true } : undefined;
    });
  },
};

/** The ES module build of this file needs import.meta.url, which CommonJS does not have; there is a build for it beside. */
const checksumForCommonJs: Plugin = {
  name: 'checksum-for-commonjs',
  setup({ onResolve }) {
    const path = `${ROOT}/node_modules/@azure/storage-common/dist/commonjs/crc64.js`;
    onResolve({ filter: /\/crc64\.js$/ }, () => ({ path }));
  },
};

/**
 * Builds the app that is deployed: dist/main.cjs and one file per lazy library. `@azure/functions-core` is not a package:
 * the language worker supplies it when it is required.
 */
export async function buildApp(): Promise<Metafile> {
  compileValidators();
  rmSync(`${ROOT}/dist`, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['functions/main.ts', ...LIBRARIES],
    entryNames: '[name]',
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node22',
    mainFields: ['module', 'main'],
    alias: LIBRARY_SOURCES,
    supported: { 'dynamic-import': false },
    external: ['@azure/functions-core'],
    plugins: [lazyLibraries, checksumForCommonJs],
    sourcemap: true,
    sourcesContent: false,
    minify: true,
    metafile: true,
    logLevel: 'warning',
  });
  checkOwnership(metafile);
  checkLaziness(metafile);
  const viewer = await writeDescriptions(`${ROOT}/dist`);
  const inputs = { ...metafile.inputs, ...viewer.inputs };
  writeFileSync(`${ROOT}/dist/THIRD-PARTY-LICENSES.txt`, thirdPartyLicenses({ ...metafile, inputs }, ROOT));
  return metafile;
}

/** Two copies of one of our files would be two sets of classes; only packages may stand in more than one output. */
function checkOwnership({ outputs }: Metafile): void {
  const owners = new Map<string, string>();
  for (const [output, { inputs }] of Object.entries(outputs)) {
    for (const input of Object.keys(inputs).filter((path) => /^(shared|functions)\//.test(path))) {
      const owner = owners.get(input);
      if (owner !== undefined) throw new Error(`${input} is in ${owner} and in ${output}.`);
      owners.set(input, output);
    }
  }
}

/** A library file that nobody loads lazily is in main.cjs, where it costs every start. */
function checkLaziness({ outputs }: Metafile): void {
  const { imports = [] } = outputs['dist/main.cjs'] ?? {};
  for (const library of LIBRARIES) {
    const file = `./${basename(library, '.ts')}.cjs`;
    if (!imports.some(({ path }) => path === file)) throw new Error(`dist/main.cjs does not load ${file} by itself.`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildApp();

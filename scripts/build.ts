import { rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';
import { readOptions } from './commandLine.ts';
import { compileValidators } from './compileValidators.ts';
import { writeDescriptions } from './describe/writeDescriptions.ts';
import { checkSinglePackage } from './singlePackage.ts';
import { thirdPartyLicenses } from './thirdPartyLicenses.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Files that only re-export a package; each becomes a file of its own, loaded when it is first imported. */
const LIBRARIES = [
  'shared/tokens/identityLibrary.ts',
  'shared/tokens/managedIdentityLibrary.ts',
  'shared/graph/graphLibrary.ts',
  'shared/graph/httpLibrary.ts',
  'shared/tokens/cacheLibrary.ts',
  'shared/access/tokenLibrary.ts',
  'shared/sources/fileNameLibrary.ts',
  'shared/sources/sourceLibrary.ts',
  'shared/graph/telemetryLibrary.ts',
  'shared/storage/storageLibrary.ts',
];

/**
 * These packages publish their TypeScript source beside a build for old engines, whose generators and WeakMaps in place of
 * async functions and private fields cost 40 % of the CPU per request (docs/decisions/0018-bundled-sources.md). The source is bundled.
 */
const LIBRARY_SOURCES = {
  '@azure/functions': `${ROOT}/node_modules/@azure/functions/src/index.ts`,
  // Its ES module build has no named exports.
  '@azure/functions-extensions-base': `${ROOT}/node_modules/@azure/functions-extensions-base/dist/azure-functions-extensions-base.js`,
  '@microsoft/microsoft-graph-client': `${ROOT}/node_modules/@microsoft/microsoft-graph-client/src/index.ts`,
};

/** Leaves dynamic imports of the library files as they are, pointed at the files next to main.cjs. */
const lazyLibraries: Plugin = {
  name: 'lazy-libraries',
  setup({ onResolve }) {
    onResolve({ filter: /Library\.ts$/ }, ({ path, kind }) => {
      return kind === 'dynamic-import' ? { path: `./${basename(path, '.ts')}.cjs`, external: true } : undefined;
    });
  },
};

/** Patches of packages that have found what they replace. A patch that finds nothing any more would be lost without a word. */
const PATCHES = ['checksum', 'managed identity', 'files of msal-node', 'token exchange'] as const;
type Patch = (typeof PATCHES)[number];
const matched = new Set<Patch>();

/** The ES module build of this file needs import.meta.url, which CommonJS does not have; there is a build for it beside. */
const checksumForCommonJs: Plugin = {
  name: 'checksum-for-commonjs',
  setup({ onResolve }) {
    const path = `${ROOT}/node_modules/@azure/storage-common/dist/commonjs/crc64.js`;
    onResolve({ filter: /\/crc64\.js$/ }, () => {
      matched.add('checksum');
      return { path };
    });
  },
};

/**
 * A managed identity without the other credentials: msal-node does not say that its files do nothing unless they are used, and the
 * credential holds Kubernetes' token exchange, which is GRAPH_CREDENTIAL=workloadIdentity here.
 */
const managedIdentityAlone: Plugin = {
  name: 'managed-identity-alone',
  setup({ onResolve, onLoad, resolve }) {
    onResolve({ filter: /^@azure\/msal-node$/ }, async ({ path, pluginData, ...options }) => {
      if (pluginData === SELF_RESOLVED) return undefined;
      matched.add('managed identity');
      return { ...(await resolve(path, { ...options, pluginData: SELF_RESOLVED })), sideEffects: false };
    });
    onResolve({ filter: /^\..*\.mjs$/ }, async ({ path, pluginData, ...options }) => {
      if (pluginData === SELF_RESOLVED || !options.importer.includes('@azure/msal-node')) return undefined;
      matched.add('files of msal-node');
      return { ...(await resolve(path, { ...options, pluginData: SELF_RESOLVED })), sideEffects: false };
    });
    onLoad({ filter: /managedIdentityCredential\/tokenExchangeMsi\.js$/ }, () => {
      matched.add('token exchange');
      return { contents: 'export const tokenExchangeMsi = { isAvailable: async () => false };' };
    });
  },
};

const SELF_RESOLVED = Symbol('resolved');

/**
 * Builds the app that is deployed: dist/main.cjs and one file per lazy library. `@azure/functions-core` is not a package: the
 * language worker supplies it when it is required.
 */
export async function buildApp(): Promise<Metafile> {
  compileValidators();
  rmSync(`${ROOT}/dist`, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [
      { in: 'functions/main.ts', out: 'main' },
      ...LIBRARIES.map((library) => ({ in: library, out: basename(library, '.ts') })),
    ],
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node22',
    mainFields: ['module', 'main'],
    alias: LIBRARY_SOURCES,
    supported: { 'dynamic-import': false },
    define: { FormData: 'undefined' }, // Nobody sends a form; to look whether one does makes Node load its own fetch, 7 ms.
    external: ['@azure/functions-core'],
    plugins: [lazyLibraries, checksumForCommonJs, managedIdentityAlone],
    sourcemap: true,
    sourcesContent: false,
    minify: true,
    metafile: true,
    logLevel: 'warning',
  });
  checkPatches(metafile);
  checkSinglePackage(metafile, '@azure/msal-node');
  checkOwnership(metafile);
  checkLaziness(metafile);
  for (const library of LIBRARIES) rmSync(`${ROOT}/dist/${basename(library, '.ts')}.cjs.map`); // Nobody looks for our lines there.
  const viewer = await writeDescriptions(`${ROOT}/dist`);
  const inputs = { ...metafile.inputs, ...viewer.inputs };
  writeFileSync(`${ROOT}/dist/THIRD-PARTY-LICENSES.txt`, thirdPartyLicenses({ ...metafile, inputs }, ROOT));
  return metafile;
}

/** @throws Error naming the patches and the sources of LIBRARY_SOURCES that the build has not used */
function checkPatches({ inputs }: Metafile): void {
  const used = Object.keys(inputs);
  const unused = [
    ...PATCHES.filter((patch) => !matched.has(patch)),
    ...Object.entries(LIBRARY_SOURCES)
      .filter(([, source]) => !used.some((input) => source.endsWith(`/${input}`)))
      .map(([name]) => name),
  ];
  if (unused.length > 0) throw new Error(`These patches of the build match nothing any more: ${unused.join(', ')}.`);
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  readOptions('Usage: npm run build\nBundles the app into dist/.', {});
  await buildApp();
}

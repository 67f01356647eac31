import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';
import { buildOpenApi } from './openApi.ts';
import { toSwagger } from './swagger.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Writes what functions/apiDescription.ts serves: openapi.json, swagger.json, docs.html and docsViewer.js.
 * Gives what esbuild knows about the viewer: its packages are shipped, so their licences must be too.
 */
export async function writeDescriptions(outDir: string): Promise<Metafile> {
  const openApi = buildOpenApi();
  writeFileSync(join(outDir, 'openapi.json'), JSON.stringify(openApi));
  writeFileSync(join(outDir, 'swagger.json'), JSON.stringify(toSwagger(openApi)));
  copyFileSync(join(ROOT, 'scripts/describe/docs.html'), join(outDir, 'docs.html'));
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: { docsViewer: 'scripts/describe/docsViewer.js' },
    outdir: outDir,
    bundle: true,
    minify: true,
    legalComments: 'none', // The licences stand in a file of their own.
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    metafile: true,
    logLevel: 'warning',
  });
  return metafile;
}

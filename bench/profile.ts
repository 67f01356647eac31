import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startApp } from './appProcess.ts';
import type { App } from './apps.ts';
import type { Bench } from './bench.ts';

const ROOT = join(import.meta.dirname, '..');
const LISTED = 45;

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** The format of `node --cpu-prof` (chromedevtools.github.io/devtools-protocol, Profiler.Profile), as far as it is used. */
interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Runs the app under load with a CPU profile, and gives back where the time went: by file, then by function, self time. */
export async function profileApp(bench: Bench, app: App, seconds: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-profile-'));
  try {
    const flags = ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=400'];
    const started = await startApp(bench, app, flags);
    await bench.runLoad({ server: bench.host, connections: 32, length: { seconds }, mailboxes: 1_000 });
    const { answered } = await started.usage();
    await started.end();
    const profile = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'))[0] ?? '';
    return describe(JSON.parse(profile) as CpuProfile, answered); // Node wrote it.
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function describe({ nodes, samples, timeDeltas }: CpuProfile, answered: number): string {
  const placeOf = createPlaceFinder();
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const byFile = new Map<string, number>();
  const byFunction = new Map<string, number>();
  for (const [index, sample] of samples.entries()) {
    const { file, name } = places.get(sample) ?? { file: '', name: '' };
    if (name === '(idle)') continue;
    const microseconds = timeDeltas[index] ?? 0;
    byFile.set(file, (byFile.get(file) ?? 0) + microseconds);
    byFunction.set(`${name}  ${file}`, (byFunction.get(`${name}  ${file}`) ?? 0) + microseconds);
  }
  return [
    `Self time in microseconds per request, start included, over ${answered} requests`,
    '',
    ...list(byFile, answered),
    '',
    ...list(byFunction, answered),
  ].join('\n');
}

function list(microseconds: ReadonlyMap<string, number>, answered: number): string[] {
  return [...microseconds]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, LISTED)
    .map(([place, time]) => `${(time / answered).toFixed(1).padStart(7)}  ${place}`);
}

/** Places in a bundle are known by the file that the code was written in. */
function createPlaceFinder(): (frame: CallFrame) => { file: string; name: string } {
  const maps = new Map<string, SourceMap | undefined>();
  return ({ functionName, url, lineNumber, columnNumber }) => {
    const name = functionName === '' ? `(anonymous:${lineNumber + 1}:${columnNumber + 1})` : functionName;
    if (!url.startsWith('file:') && !url.startsWith('/')) return { file: url || '(engine)', name };
    const path = url.startsWith('file:') ? fileURLToPath(url) : url;
    if (!maps.has(path)) maps.set(path, readMap(`${path}.map`));
    const entry = maps.get(path)?.findEntry(lineNumber, columnNumber);
    if (entry === undefined || !('originalSource' in entry) || entry.originalSource === undefined)
      return { file: relative(ROOT, path), name };
    return { file: entry.originalSource.replace(/^(\.\.\/)+/, ''), name: `${name}:${entry.originalLine + 1}` };
  };
}

function readMap(path: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined; // Most files are not bundles.
  }
}

import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { renderBytes } from './bytes/renderBytes.ts';
import type { Cost } from './growth.ts';
import { format, type Row, range, table } from './markdown.ts';
import { FIGURES, type Figure } from './measure.ts';
import type { BenchOptions } from './options.ts';
import { medianOf, type Results, type Subject, valuesOf } from './results.ts';
import type { Target } from './targets.ts';

const NAMED_PACKAGES = ['@azure/functions', '@azure/identity', '@microsoft/microsoft-graph-client', 'undici', 'ajv'];

/** The report, as Markdown that also reads well on a terminal. */
export function render(results: Results, targets: readonly Target[], options: BenchOptions, remarks: Row): string {
  const { subjects, growth, bytes } = results;
  const figures = Object.keys(FIGURES) as Figure[]; // The table's own keys.
  const names = subjects.map(({ name }) => name);
  const [product] = subjects;
  return [
    '# Benchmark results',
    `Written by \`npm run bench\`; README.md in this folder says how to read it. ${about(options)}`,
    ...remarks,
    '## Figures: median (lowest–highest round)',
    table([
      ['', ...names],
      ...figures.map((figure) => [FIGURES[figure].title, ...subjects.map((subject) => cell(subject, figure))]),
      ['package, kB zipped', ...subjects.map(({ packageBytes: bytes }) => (bytes ? format(bytes / 1000, 0) : '–'))],
    ]),
    '## The product as a multiple of each',
    table([
      ['', ...names.slice(1)],
      ...figures.map((figure) => [
        FIGURES[figure].title,
        ...subjects.slice(1).map((subject) => ratio(product, subject, figure)),
      ]),
    ]),
    '## How the cost of the product grows',
    table([
      ['', 'requests/s', 'CPU per request, ms', 'peak memory, MB'],
      ...[...growth.connections, ...growth.policy, ...growth.mailboxes].map(costRow),
    ]),
    '## Bytes',
    ...renderBytes(bytes),
    '## Targets',
    table([
      ['target', 'measured', 'reached'],
      ...targets.map(({ text, value, isReached }) => [text, format(value, 2), isReached ? 'yes' : '**no**']),
    ]),
    '',
  ].join('\n\n');
}

function about({ rounds, seconds, growthRounds }: BenchOptions): string {
  const [cpu] = cpus();
  const machine = `${cpu?.model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const packages = NAMED_PACKAGES.map((name) => `${name} ${versionOf(name)}`).join(', ');
  const date = new Date().toISOString().slice(0, 10);
  return `${date}; ${machine}; Node ${process.version}; ${packages}; ${rounds} rounds (growth: ${growthRounds}) of ${seconds} s.`;
}

function versionOf(name: string): string {
  const path = join(import.meta.dirname, '..', 'node_modules', name, 'package.json');
  const manifest: { version?: string } = JSON.parse(readFileSync(path, 'utf8'));
  return manifest.version ?? '';
}

function cell(subject: Subject, figure: Figure): string {
  const values = valuesOf(subject, figure);
  return range(values, FIGURES[figure].digits);
}

function ratio(product: Subject | undefined, subject: Subject, figure: Figure): string {
  if (product === undefined || valuesOf(subject, figure).length === 0) return '–';
  return `${format(medianOf(product, figure) / medianOf(subject, figure), 2)}×`;
}

function costRow({ name, requestsPerSecond, cpuMs, peakMemoryMb }: Cost): Row {
  return [name, format(requestsPerSecond, 0), format(cpuMs, 3), format(peakMemoryMb, 0)];
}

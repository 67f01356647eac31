import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { APPS, copyProduct, HELLO } from './apps.ts';
import { type Bench, startBench } from './bench.ts';
import { measureBytes } from './bytes/measureBytes.ts';
import { renderBytes } from './bytes/renderBytes.ts';
import { measureCold } from './cold.ts';
import { measureGrowth } from './growth.ts';
import { type Sample, sampleApp, sampleServer } from './measure.ts';
import type { Server } from './messages.ts';
import { isNginxInstalled, type Nginx, startNginx } from './nginx.ts';
import { readOptions } from './options.ts';
import { packageBytes } from './packageBytes.ts';
import { profileApp } from './profile.ts';
import { render } from './render.ts';
import type { Subject } from './results.ts';
import { judge } from './targets.ts';

// `npm run bench`: see README.md in this folder.

const options = readOptions(process.argv.slice(2));
const product = copyProduct();
const apps = APPS.map((app) => (app.name === product.app.name ? product.app : app));
const bench = await startBench();
const nginx = isNginxInstalled() ? await startNginx(bench.upstream) : undefined;
try {
  if (options.profile !== undefined) await runProfile(bench, options.profile);
  else if (options.part === 'cold') console.log(await measureCold(bench, apps, 3 * options.rounds));
  else if (options.part === 'bytes') console.log(renderBytes(await measureBytes(product.app, options)).join('\n\n'));
  else await runBenchmark(bench, nginx);
} finally {
  await nginx?.close();
  await bench.close();
  product.remove();
}

interface Contender extends Subject {
  readonly sample: () => Promise<Sample>;
}

async function runBenchmark(bench: Bench, nginx: Nginx | undefined): Promise<void> {
  const contenders: Contender[] = apps.map((app) => ({
    name: app.name,
    samples: [],
    packageBytes: packageBytes(app.root, app.name === product.app.name),
    sample: () => sampleApp(bench, app, options),
  }));
  const graph: Server = { url: bench.upstream.graphUrl, pathPrefix: '' };
  contenders.push({ name: 'Graph directly', samples: [], sample: () => sampleServer(bench, graph, options) });
  if (nginx !== undefined) {
    const proxy: Server = { url: nginx.url, pathPrefix: '/api' };
    contenders.push({ name: 'nginx', samples: [], sample: () => sampleServer(bench, proxy, options) });
  }
  await sampleApp(bench, HELLO, { ...options, seconds: 1 }); // Not counted: warms the load generator and the upstream.
  for (let round = 1; round <= options.rounds; round += 1) {
    console.error(`round ${round} of ${options.rounds}`);
    for (const { samples, sample } of contenders) samples.push(await sample());
  }
  console.error('growth');
  const growth = await measureGrowth(bench, product.app, options);
  const results = { subjects: contenders, growth, bytes: await measureBytes(product.app, options) };
  const remarks = nginx === undefined ? ['nginx is not installed here and was left out.'] : [];
  const report = render(results, judge(results), options, remarks);
  writeFileSync(join(import.meta.dirname, 'results.md'), report);
  console.log(report);
}

async function runProfile(bench: Bench, name: string): Promise<void> {
  const app = apps.find((one) => one.name === name);
  if (app === undefined) throw new Error(`The apps are: ${apps.map((one) => one.name).join(', ')}.`);
  console.log(await profileApp(bench, app, options.seconds));
}

import { startApp } from './appProcess.ts';
import type { App } from './apps.ts';
import type { Bench } from './bench.ts';
import { median } from './stats.ts';

/** Starts each app again and again, in turn, and gives back what its first caller waits for: medians, in milliseconds. */
export async function measureCold(bench: Bench, apps: readonly App[], rounds: number): Promise<string> {
  const samples = apps.map(({ name }) => ({
    name,
    loadMs: [] as number[],
    firstMs: [] as number[],
    cpuMs: [] as number[],
  }));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, app] of apps.entries()) {
      const started = await startApp(bench, app);
      const { cpuMs } = await started.usage();
      await started.end();
      if (round === 0) continue; // It warms the file cache.
      samples[index]?.loadMs.push(started.loadMs);
      samples[index]?.firstMs.push(started.firstResponseMs);
      samples[index]?.cpuMs.push(cpuMs);
    }
  }
  return samples
    .map(({ name, loadMs, firstMs, cpuMs }) => {
      const [load, first, cpu] = [loadMs, firstMs, cpuMs].map((values) => median(values).toFixed(1));
      return `${name}: load ${load} ms, load and first response ${first} ms, CPU until then ${cpu} ms`;
    })
    .join('\n');
}

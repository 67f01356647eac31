import { NoAnswer } from './client.ts';
import { Unexpected } from './expect.ts';
import type { Step } from './steps.ts';

/** Runs every step, also after a failure, and prints each with its time; resolves to the number of failures. */
export async function runSteps(steps: readonly Step[], print: (line: string) => void): Promise<number> {
  let failures = 0;
  for (const { name, run } of steps) {
    const startedAt = performance.now();
    const took = () => `${Math.round(performance.now() - startedAt)} ms`;
    try {
      const result = await run();
      if (result.kind === 'skipped') print(`– ${name}: skipped, ${result.why}`);
      else print(`✓ ${name} (${took()})${result.detail === undefined ? '' : `: ${result.detail}`}`);
    } catch (error) {
      failures += 1;
      print(`✗ ${name} (${took()}): ${describe(error)}`);
    }
  }
  return failures;
}

/** Foreign messages are left out: they may quote what was sent. */
function describe(error: unknown): string {
  return error instanceof NoAnswer || error instanceof Unexpected ? error.message : 'the step itself failed';
}

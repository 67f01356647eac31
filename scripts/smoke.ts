import { endWrongCall } from './commandLine.ts';
import { createClient, NoAnswer } from './smoke/client.ts';
import { Skipped, Unexpected } from './smoke/expect.ts';
import { parseOptions, USAGE } from './smoke/options.ts';
import { listSteps, type Step } from './smoke/steps.ts';

/** Runs every step, also after a failure, and prints each with its time; resolves to the number of failures. */
async function runSteps(steps: readonly Step[]): Promise<number> {
  let failures = 0;
  for (const { name, run } of steps) {
    const startedAt = performance.now();
    const took = () => `${Math.round(performance.now() - startedAt)} ms`;
    try {
      const detail = await run();
      console.log(`✓ ${name} (${took()})${typeof detail === 'string' ? `: ${detail}` : ''}`);
    } catch (error) {
      if (error instanceof Skipped) {
        console.log(`– ${name}: skipped, ${error.message}`);
        continue;
      }
      failures += 1;
      // Other messages may quote what was sent.
      const isOurs = error instanceof NoAnswer || error instanceof Unexpected;
      console.log(`✗ ${name} (${took()}): ${isOurs ? error.message : 'the step itself failed'}`);
    }
  }
  return failures;
}

if (process.argv.includes('--help')) {
  console.log(USAGE);
  process.exit(0);
}
const parsed = parseOptions(process.argv.slice(2), process.env);
if (parsed.kind === 'wrongCall') {
  endWrongCall(parsed.fault);
}
const client = createClient(parsed.options);
console.log(`Smoke test of ${parsed.options.url}`);
const failures = await runSteps(listSteps(client, parsed.options));
await client.close();
console.log(failures === 0 ? 'Every step that ran has passed.' : `${failures} of the steps failed.`);
process.exitCode = failures === 0 ? 0 : 1;

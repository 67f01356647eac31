import { createClient } from './smoke/client.ts';
import { parseOptions, USAGE } from './smoke/options.ts';
import { runSteps } from './smoke/runSteps.ts';
import { listSteps } from './smoke/steps.ts';

const parsed = parseOptions(process.argv.slice(2), process.env);
if (parsed.kind === 'wrongCall') {
  console.error(`${parsed.fault}\n${USAGE}`);
  process.exit(2);
}
const client = createClient(parsed.options);
console.log(`Smoke test of ${parsed.options.url}`);
const failures = await runSteps(listSteps(client, parsed.options), console.log);
await client.close();
console.log(failures === 0 ? 'Every step that ran has passed.' : `${failures} of the steps failed.`);
process.exitCode = failures === 0 ? 0 : 1;

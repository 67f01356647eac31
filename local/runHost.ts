import { parseArgs } from 'node:util';
import { printLogLine } from './host/log.ts';
import { describeFunctions, startHost } from './host/startHost.ts';

// `npm run host`: the built app of this checkout on PORT (default 7071), until SIGINT or SIGTERM.
// With --enableAuth, FUNCTION_KEY is the key that opens functions whose authLevel is not anonymous.

const { values } = parseArgs({ options: { enableAuth: { type: 'boolean', default: false } } });
const functionKey = process.env['FUNCTION_KEY'];

const host = await startHost({
  appRoot: `${import.meta.dirname}/..`,
  port: Number(process.env['PORT'] ?? 7071),
  enableAuth: values.enableAuth,
  ...(functionKey !== undefined && { functionKey }),
  log: printLogLine,
});
console.log(`\n${describeFunctions(host)}\n`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void host.close());
}

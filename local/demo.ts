import { fork } from 'node:child_process';
import { once } from 'node:events';
import { startEmulatedSite } from './emulatedSite.ts';
import { ADELE } from './emulators/seed.ts';

// `npm run demo`: attaches a 5 MB file to a draft through the proxy, among emulated Azure. The workflow itself is
// demoClient.ts, in a process of its own: trust in the emulated upload host is settled when a process starts.

const site = await startEmulatedSite({ appRoot: `${import.meta.dirname}/..`, storage: false });
const graphToken = site.identity.tokens.issue({ audience: site.graph.url, lifetimeSeconds: 600 });
const client = fork(`${import.meta.dirname}/demoClient.ts`, [`${site.url}/api/`, ADELE.userPrincipalName], {
  env: { ...process.env, NODE_EXTRA_CA_CERTS: site.caPath, GRAPH_URL: site.graph.url, GRAPH_TOKEN: graphToken },
});
const [exitCode] = await once(client, 'exit');
await site.close();
process.exitCode = Number(exitCode ?? 1);

import type { HostLogLine } from '../../local/host/log.ts';
import { type LocalHost, startHost } from '../../local/host/startHost.ts';
import { REPOSITORY_ROOT, type Site } from './site.ts';

export interface SecondHost {
  readonly api: string;
  readonly host: LocalHost;
  readonly lines: readonly HostLogLine[];
}

/** Another instance of a site's app: it shares the emulators and the storage account, and has a worker of its own. */
export async function startSecondHost(
  { identity, graph, storage, caPath }: Site,
  settings: Readonly<Record<string, string>>,
): Promise<SecondHost> {
  const lines: HostLogLine[] = [];
  const host = await startHost({
    appRoot: REPOSITORY_ROOT,
    log: (line) => lines.push(line),
    times: { restartWaitMs: 0 },
    env: {
      ...identity.env,
      NODE_EXTRA_CA_CERTS: caPath,
      GRAPH_BASE_URL: graph.url,
      GRAPH_CREDENTIAL: 'managedIdentity',
      AzureWebJobsStorage: storage?.connectionString ?? '',
      ...settings,
    },
  });
  return { api: `${host.url}/api`, host, lines };
}

import type { EmulatedSite } from '../../local/emulatedSite.ts';
import type { HostTimes } from '../../local/host/hostTimes.ts';
import type { HostLog, HostLogLine } from '../../local/host/log.ts';
import { type LocalHost, startHost } from '../../local/host/startHost.ts';
import { findSecrets } from './findSecrets.ts';
import { REPOSITORY_ROOT, type Site } from './site.ts';

export interface SecondHost {
  readonly api: string;
  readonly host: LocalHost;
  /** Throws where one of its lines holds a secret. */
  close(): Promise<void>;
}

/** Another instance of a site's app: it shares the emulators and the storage account, and has its own worker. */
export async function startSecondHost(site: Site, settings: Readonly<Record<string, string>>): Promise<SecondHost> {
  const lines: HostLogLine[] = [];
  const host = await startInstance(site, settings, (line) => lines.push(line), { restartWaitMs: 0 });
  return {
    api: `${host.url}/api`,
    host,
    async close() {
      await host.close();
      refuseSecrets(site, lines);
    },
  };
}

/** An instance that shares the site's account, Graph and identity. */
export function startInstance(
  { identity, graph, storage, caPath }: EmulatedSite,
  settings: Readonly<Record<string, string>>,
  log: HostLog,
  times: Partial<HostTimes>,
): Promise<LocalHost> {
  return startHost({
    appRoot: REPOSITORY_ROOT,
    log,
    times,
    env: {
      ...identity.env,
      NODE_EXTRA_CA_CERTS: caPath,
      GRAPH_BASE_URL: graph.url,
      GRAPH_CREDENTIAL: 'managedIdentity',
      AzureWebJobsStorage: storage?.connectionString ?? '',
      ...settings,
    },
  });
}

/** @param own secrets that the site does not know */
export function refuseSecrets(site: EmulatedSite, lines: readonly HostLogLine[], own: readonly string[] = []): void {
  for (const { message } of lines) {
    const secrets = [...findSecrets(site, message), ...own.filter((secret) => message.includes(secret))];
    if (secrets.length > 0) throw new Error(`A log line of a worker holds ${secrets.join(', ')}: ${message}`);
  }
}

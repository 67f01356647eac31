import { createCertificate, writeCaFile } from './emulators/certificate.ts';
import { type GraphEmulator, type GraphEmulatorOptions, startGraphEmulator } from './emulators/graph.ts';
import { type IdentityEmulator, type IdentityEmulatorOptions, startIdentityEmulator } from './emulators/identity.ts';
import { ADELE } from './emulators/seed.ts';
import { type HostOptions, type LocalHost, startHost } from './host/startHost.ts';

export interface SiteOptions {
  readonly appRoot: string;
  readonly port?: number;
  /** Settings of the app, over those of the emulators. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly graph?: Omit<Partial<GraphEmulatorOptions>, 'certificate' | 'tokens'>;
  readonly identity?: Omit<IdentityEmulatorOptions, 'tokens'>;
  readonly host?: Omit<HostOptions, 'appRoot' | 'port' | 'env'>;
}

/** The built app on the local host, with an emulated identity endpoint and an emulated Graph that trust one another. */
export interface EmulatedSite {
  /** Where the functions answer, without the prefix. */
  readonly url: string;
  readonly host: LocalHost;
  readonly graph: GraphEmulator;
  readonly identity: IdentityEmulator;
  /** The file with the certificate authority of the emulated Graph, for clients that send to its uploadUrls. */
  readonly caPath: string;
  close(): Promise<void>;
}

/** `me` is Adele's mailbox unless the settings say otherwise. */
export async function startEmulatedSite(options: SiteOptions): Promise<EmulatedSite> {
  const certificate = await createCertificate();
  const ca = writeCaFile(certificate);
  const identity = await startIdentityEmulator(options.identity);
  const graph = await startGraphEmulator({ ...options.graph, certificate, tokens: identity.tokens });
  const host = await startHost({
    ...options.host,
    appRoot: options.appRoot,
    port: options.port ?? 0,
    env: {
      ...identity.env,
      NODE_EXTRA_CA_CERTS: ca.path,
      GRAPH_BASE_URL: graph.url,
      GRAPH_CREDENTIAL: 'managedIdentity',
      ME_MAILBOX: ADELE.userPrincipalName,
      ...options.settings,
    },
  });
  return {
    url: host.url,
    host,
    graph,
    identity,
    caPath: ca.path,
    async close() {
      await host.close();
      await Promise.all([graph.close(), identity.close()]);
      ca.remove();
    },
  };
}

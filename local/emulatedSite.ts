import { type Azurite, startAzurite } from './azurite.ts';
import { createCertificate, type EmulatorCertificate, writeCaFile } from './emulators/common/certificate.ts';
import { type GraphEmulatorOptions, startGraphEmulator } from './emulators/graph/graph.ts';
import { ADELE } from './emulators/graph/seed.ts';
import { type IdentityEmulatorOptions, startIdentityEmulator } from './emulators/managedIdentity/identity.ts';
import { type HostOptions, startHost } from './host/startHost.ts';

export interface SiteOptions {
  readonly appRoot: string;
  readonly port?: number;
  /** Absent: no HTTPS. 0 takes a free port. */
  readonly httpsPort?: number;
  /** Settings of the app, over those of the emulators. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly graph?: Omit<Partial<GraphEmulatorOptions>, 'certificate' | 'tokens'>;
  readonly identity?: IdentityEmulatorOptions;
  readonly host?: Omit<HostOptions, 'appRoot' | 'port' | 'https' | 'env'>;
  /** False: none. An Azurite: that one, which the site does not stop. Absent: a new one, unless `settings` name an account. */
  readonly storage?: false | Azurite;
  /** Of the emulated Graph, for localhost and 127.0.0.1. Absent: one made for this site. */
  readonly certificate?: EmulatorCertificate;
}

export type EmulatedSite = Awaited<ReturnType<typeof startEmulatedSite>>;

/**
 * Starts the built app on the local host, with an emulated identity endpoint, an emulated Graph and a storage account. `me` is
 * Adele's mailbox unless the settings name another.
 */
export async function startEmulatedSite(options: SiteOptions) {
  const certificate = options.certificate ?? (await createCertificate());
  const ca = writeCaFile(certificate);
  const identity = await startIdentityEmulator(options.identity);
  const graph = await startGraphEmulator({ ...options.graph, certificate, tokens: identity.tokens });
  const ownStorage = needsStorage(options) ? await startAzurite() : undefined;
  const storage = ownStorage ?? (options.storage || undefined);
  const host = await startHost({
    ...options.host,
    appRoot: options.appRoot,
    port: options.port ?? 0,
    ...(options.httpsPort !== undefined && {
      https: { port: options.httpsPort, cert: certificate.cert, key: certificate.key },
    }),
    env: {
      ...identity.env,
      NODE_EXTRA_CA_CERTS: ca.path,
      GRAPH_BASE_URL: graph.url,
      GRAPH_CREDENTIAL: 'managedIdentity',
      ME_MAILBOX: ADELE.userPrincipalName,
      ...(storage !== undefined && { AzureWebJobsStorage: storage.connectionString }),
      ...options.settings,
    },
  });
  return {
    /** The base URL of the functions, without the route prefix. */
    url: host.url,
    /** The same over HTTPS; undefined without `SiteOptions.httpsPort`. */
    httpsUrl: host.httpsUrl,
    host,
    graph,
    identity,
    storage,
    /** The certificate authority of the emulated Graph and of `httpsUrl`. */
    caPath: ca.path,
    async close(): Promise<void> {
      await host.close();
      await Promise.all([graph.close(), identity.close(), ownStorage?.stop()]);
      ca.remove();
    },
  };
}

function needsStorage({ storage, settings = {} }: SiteOptions): boolean {
  return storage === undefined && !Object.keys(settings).some((name) => name.startsWith('AzureWebJobsStorage'));
}

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { LookupFunction } from 'node:net';
import { rootCertificates } from 'node:tls';
import { Agent, type Dispatcher, request } from 'undici';
import { createCertificate, type EmulatorCertificate } from '../../../local/emulators/common/certificate.ts';
import { ADELE } from '../../../local/emulators/graph/seed.ts';
import { listen } from '../../../local/listen.ts';
import { type Site, startSite } from '../site.ts';
import { startSourceServer } from '../sourceServer.ts';
import { AUDIENCE, startTenantSite } from '../tenantSite.ts';
import { startTlsFront, type TlsFront } from '../tlsFront.ts';
import { startConnectors } from './connectors.ts';
import type { WorkflowDefinition } from './readDefinition.ts';
import { runWorkflow, type WorkflowRun } from './runWorkflow.ts';
import type { EngineHabits } from './sendAction.ts';

export type Credentials = 'managed identity' | 'function key';

export interface StoredFile {
  readonly bytes: Buffer;
  readonly contentType: string;
}

/** The proxy as the engine sees it, behind a front of a name of its own; a storage account; the connectors of Microsoft. */
export interface WorkflowSite {
  readonly site: Site;
  readonly front: TlsFront;
  /** Demanded by the proxy of the site with keys. */
  readonly key: string;
  /** What is kept of the query of an address that the storage account has signed. */
  readonly signature: string;
  /** The drafts that the Outlook connector has sent. */
  readonly sent: readonly string[];
  /** For what the workflow's identity was given tokens. */
  readonly audiences: readonly string[];
  run(definition: WorkflowDefinition, triggerBody: unknown, habits?: EngineHabits): Promise<WorkflowRun>;
  reset(): void;
  close(): Promise<void>;
}

/** The engine refuses addresses on localhost. */
const PROXY_HOST = 'proxy.contoso.example';
const WORKFLOW_APP = '6e5f7081-92a3-44b5-86d7-e8f90a1b2c3d';

function policyOf(sources: readonly string[]): unknown {
  const allowed = { mailboxes: [ADELE.userPrincipalName], kinds: ['message'], sources };
  return {
    callers: [
      { name: 'Report workflow', appId: WORKFLOW_APP, ...allowed },
      { name: 'Key holders', functionKey: true, ...allowed },
    ],
  };
}

/** `files` is what the storage account holds, by container and path. */
export async function startWorkflowSite(
  credentials: Credentials,
  files: Readonly<Record<string, StoredFile>>,
): Promise<WorkflowSite> {
  const key = randomUUID();
  const certificate = await createCertificate([PROXY_HOST]);
  const front = await startTlsFront(certificate, PROXY_HOST);
  const source = await startSourceServer(certificate);
  for (const [path, file] of Object.entries(files)) source.put(`/${path}`, file);
  const policy = policyOf([`${source.origin}/reports/`]);
  const settings = { PUBLIC_BASE_URL: front.url, JOB_KEY: randomUUID() };
  const { site, token } =
    credentials === 'function key'
      ? await keySite(key, policy, settings, certificate)
      : await identitySite(policy, settings, certificate);
  front.forwardTo(site.url);
  const dispatcher = new Agent({
    connect: { ca: [...rootCertificates, readFileSync(site.caPath, 'utf8')], lookup: lookUpOnLoopback },
  });
  const storage = await startStorage(files);
  const signature = `sig=${randomUUID()}`;
  const connectors = await startConnectors({
    createDraft: (subject) => createDraft(site, subject, dispatcher),
    signedAddress: (path) => `${source.origin}${path}?sv=2021-12-02&sp=r&${signature}`,
  });
  const audiences: string[] = [];
  const parameters = {
    graphUrl: site.graph.url,
    storageUrl: storage.url,
    storageAccount: 'reportsaccount',
    mailbox: ADELE.userPrincipalName,
    proxyUrl: front.url,
    proxyAudience: AUDIENCE,
    proxyKey: key,
    $connections: Object.fromEntries(
      Object.entries(connectors.urls).map(([name, connectionId]) => [name, { connectionId }]),
    ),
  };
  return {
    site,
    front,
    key,
    signature,
    sent: connectors.sent,
    audiences,
    run: (definition, triggerBody, habits = {}) =>
      runWorkflow(definition, {
        parameters,
        triggerBody,
        token(audience) {
          audiences.push(audience);
          return token(audience);
        },
        connectionUrls: connectors.urls,
        dispatcher,
        habits,
      }),
    reset() {
      site.graph.reset();
      front.reset();
      connectors.reset();
      audiences.length = 0;
    },
    async close() {
      await Promise.all([dispatcher.close(), storage.close(), source.close(), connectors.close(), front.close()]);
      await site.close();
    },
  };
}

/** Every name is here: the engine's requests leave this machine in no case. */
const lookUpOnLoopback: LookupFunction = (_host, { all }, callback) => {
  if (all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
};

type TokenSource = (audience: string) => Promise<string>;
type Settings = Readonly<Record<string, string>>;

async function keySite(
  functionKey: string,
  policy: unknown,
  settings: Settings,
  certificate: EmulatorCertificate,
): Promise<{ site: Site; token: TokenSource }> {
  const site = await startSite({
    host: { enableAuth: true, functionKey },
    settings: { ...settings, POLICY: JSON.stringify(policy) },
    storage: true,
    certificate,
  });
  return { site, token: (audience) => platformToken(site, audience) };
}

async function identitySite(
  policy: unknown,
  settings: Settings,
  certificate: EmulatorCertificate,
): Promise<{ site: Site; token: TokenSource }> {
  const site = await startTenantSite({ policy, settings, storage: true, certificate });
  return {
    site,
    async token(audience) {
      // Managed identities get tokens of version 1.
      if (audience === AUDIENCE) return (await site.bearer(WORKFLOW_APP, {}, { version: 1 })).replace('Bearer ', '');
      return platformToken(site, audience);
    },
  };
}

/** A token as the platform gives it to the workflow, known to the emulated Graph. */
async function platformToken({ identity }: Site, audience: string): Promise<string> {
  const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = identity.env;
  const query = new URLSearchParams({ 'api-version': '2019-08-01', resource: audience });
  const response = await fetch(`${IDENTITY_ENDPOINT}?${query}`, { headers: { 'x-identity-header': IDENTITY_HEADER } });
  const { access_token: token } = (await response.json()) as { access_token: string }; // The emulator's own answer.
  return token;
}

/** As the user who has signed in to the Outlook connection. */
async function createDraft(site: Site, subject: string, dispatcher: Dispatcher): Promise<string> {
  const token = site.identity.tokens.issue({ audience: site.graph.url, lifetimeSeconds: 600 });
  const response = await request(`${site.graph.url}/v1.0/users/${ADELE.userPrincipalName}/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ subject }),
    dispatcher,
  });
  const { id } = (await response.body.json()) as { id: string }; // The emulator's own answer.
  return id;
}

/** Blob storage, as far as a GET with a token goes. */
async function startStorage(
  files: Readonly<Record<string, StoredFile>>,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer(({ url, headers }, response) => {
    const file = headers.authorization === undefined ? undefined : files[(url ?? '').slice(1)];
    if (file === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': file.contentType }).end(file.bytes);
  });
  const { port, close } = await listen(server);
  return { url: `http://127.0.0.1:${port}`, close };
}

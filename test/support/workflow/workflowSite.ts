import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { rootCertificates } from 'node:tls';
import { Agent } from 'undici';
import { listen } from '../../../local/emulators/listen.ts';
import { ADELE } from '../../../local/emulators/seed.ts';
import { startHost } from '../../../local/host/startHost.ts';
import { REPOSITORY_ROOT, type Site, startSite } from '../site.ts';
import { AUDIENCE, startTenantSite } from '../tenantSite.ts';
import type { WorkflowDefinition } from './readDefinition.ts';
import { runWorkflow, type WorkflowRun } from './runWorkflow.ts';

export type Credentials = 'managed identity' | 'function key';

/** The proxy, the uploader of examples/logic-apps and a storage account, and a workflow's identity that may use them. */
export interface WorkflowSite {
  readonly site: Site;
  readonly uploaderUrl: string;
  /** Demanded by proxy and uploader of the site with keys. */
  readonly key: string;
  run(definition: WorkflowDefinition, triggerBody: unknown): Promise<WorkflowRun>;
  close(): Promise<void>;
}

const WORKFLOW_APP = '6e5f7081-92a3-44b5-86d7-e8f90a1b2c3d';
const POLICY = {
  callers: [
    { name: 'Report workflow', appId: WORKFLOW_APP, mailboxes: [ADELE.userPrincipalName], kinds: ['message'] },
    { name: 'Key holders', functionKey: true, mailboxes: [ADELE.userPrincipalName], kinds: ['message'] },
  ],
};

/** `files` is what the storage account holds, by container and path. */
export async function startWorkflowSite(
  credentials: Credentials,
  files: Readonly<Record<string, Buffer>>,
): Promise<WorkflowSite> {
  const key = randomUUID();
  const keyed = { enableAuth: credentials === 'function key', functionKey: key };
  const { site, token } = credentials === 'function key' ? await keySite(keyed) : await identitySite();
  const uploader = await startHost({
    appRoot: path.join(REPOSITORY_ROOT, 'examples', 'logic-apps', 'uploader'),
    env: { NODE_EXTRA_CA_CERTS: site.caPath, UPLOAD_HOSTS: new URL(site.graph.url).host },
    ...keyed,
  });
  const storage = await startStorage(files);
  const dispatcher = new Agent({ connect: { ca: [...rootCertificates, readFileSync(site.caPath, 'utf8')] } });
  const parameters = {
    graphUrl: site.graph.url,
    storageUrl: storage.url,
    proxyUrl: site.url,
    uploaderUrl: uploader.url,
    proxyAudience: AUDIENCE,
    uploaderAudience: 'api://uploader',
    proxyKey: key,
    uploaderKey: key,
  };
  return {
    site,
    uploaderUrl: uploader.url,
    key,
    run: (definition, triggerBody) => runWorkflow(definition, { parameters, triggerBody, token, dispatcher }),
    async close() {
      await Promise.all([dispatcher.close(), uploader.close(), storage.close()]);
      await site.close();
    },
  };
}

type TokenSource = (audience: string) => Promise<string>;

async function keySite(host: {
  enableAuth: boolean;
  functionKey: string;
}): Promise<{ site: Site; token: TokenSource }> {
  const site = await startSite({ host, settings: { POLICY: JSON.stringify(POLICY) } });
  return { site, token: (audience) => platformToken(site, audience) };
}

async function identitySite(): Promise<{ site: Site; token: TokenSource }> {
  const site = await startTenantSite({ policy: POLICY });
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

/** Blob storage, as far as a GET with a token goes. */
async function startStorage(
  files: Readonly<Record<string, Buffer>>,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer(({ url, headers }, response) => {
    const file = headers.authorization === undefined ? undefined : files[(url ?? '').slice(1)];
    response.writeHead(file === undefined ? 404 : 200, { 'content-type': 'application/pdf' }).end(file);
  });
  const { port, close } = await listen(server);
  return { url: `http://127.0.0.1:${port}`, close };
}

import { setTimeout as delay } from 'node:timers/promises';
import { generate } from 'selfsigned';
import { type EmulatorCertificate, writeCaFile } from '../../local/emulators/common/certificate.ts';
import { createTokenRegistry } from '../../local/emulators/common/tokenRegistry.ts';
import { startTenantEmulator, type TenantEmulator } from '../../local/emulators/entra/tenant.ts';
import type { TenantClient } from '../../local/emulators/entra/tokenRequest.ts';
import type { IssueOptions, TokenSubject } from '../../local/emulators/entra/tokens.ts';
import { parsePolicy } from '../../shared/access/loadPolicy.ts';
import type { ItemKind } from '../../shared/paths/entityModel.ts';
import { type RawAnswer, sendRaw } from './probeApp/sendRaw.ts';
import { type Site, startSite, type TestSiteOptions } from './site.ts';

export const AUDIENCE = 'api://upload-sessions';
export const ROLE = 'UploadSession.Create';

/** The API's registration, and the managed identity that it trusts. */
export const API_CLIENT_ID = '6a7f0f2e-94d5-4a4e-8a53-0a2a5c2c3f10';
export const API_IDENTITY = '0d3c5a2e-5a5b-4f0e-9f0b-6d1a3a1c7e10';

export interface SessionCall {
  /** Below the route prefix; goes into the request line as it is. */
  readonly path: string;
  /** Each becomes an Authorization header of its own. */
  readonly authorization?: readonly string[];
  /** A flat list of names and values. */
  readonly headers?: readonly string[];
  readonly kind?: ItemKind;
  /** Declared, in bytes. */
  readonly size?: number;
}

/** An emulated site whose callers are apps of an emulated tenant. */
export interface TenantSite extends Site {
  readonly tenant: TenantEmulator;
  /** `Bearer` and a token with the role for our audience, unless subject or options say otherwise. */
  bearer(appId: string, subject?: Partial<TokenSubject>, options?: IssueOptions): Promise<string>;
  openSession(call: SessionCall): Promise<RawAnswer>;
  /** Forgets what the emulators saw. */
  forget(): void;
}

export interface TenantSiteOptions {
  readonly policy?: unknown;
  readonly settings?: Readonly<Record<string, string>>;
  /** Played from the start. */
  readonly fault?: Parameters<TenantEmulator['play']>[0];
  /** Members of the API's registration over the usual ones; with any, the app can act on behalf of users. */
  readonly onBehalfOf?: Partial<TenantClient>;
  readonly graph?: TestSiteOptions['graph'];
  readonly storage?: TestSiteOptions['storage'];
  /** Of the proxy's own token; with a short one, each request that needs a token causes a request for it. */
  readonly lifetimeSeconds?: number;
  readonly certificate?: EmulatorCertificate;
}

/** Graph finds every id and takes every family and size, so that the policy alone decides. */
export const PERMISSIVE_GRAPH = { anyItem: true, appOnlyFamilies: 'all', minimumSize: 1 } as const;

/** Returns once the app's warm-up has asked for its token, if it does: what is asked afterwards, a request has caused. */
export async function startTenantSite(options: TenantSiteOptions = {}): Promise<TenantSite> {
  const { policy, settings, fault, lifetimeSeconds, onBehalfOf, graph, storage = false } = options;
  const certificate = await createTenantCertificate();
  const ca = writeCaFile(certificate);
  const tokens = createTokenRegistry();
  const api = { clientId: API_CLIENT_ID, identifierUris: [AUDIENCE], federatedIdentities: [API_IDENTITY] };
  const tenant = await startTenantEmulator({ certificate, tokens, clients: [{ ...api, ...onBehalfOf }] });
  // The identity library of the app takes an authority over https only, also beside a managed identity.
  const authorityHost = tenant.secureUrl ?? '';
  const v2Issuer = `${authorityHost}/${tenant.tenantId}/v2.0`;
  if (fault !== undefined) tenant.play(fault);
  const site = await startSite({
    graph: { ...PERMISSIVE_GRAPH, ...graph },
    storage,
    ...(options.certificate !== undefined && { certificate: options.certificate }),
    identity: { tokens, userAssigned: [API_IDENTITY], ...(lifetimeSeconds !== undefined && { lifetimeSeconds }) },
    settings: {
      CALLER_AUTH: 'entra',
      ENTRA_TENANT_ID: tenant.tenantId,
      API_AUDIENCE: AUDIENCE,
      AZURE_AUTHORITY_HOST: authorityHost,
      ...alsoTrusting(ca.path),
      ...(policy !== undefined && { POLICY: JSON.stringify(policy) }),
      ...(onBehalfOf !== undefined && {
        OBO_CLIENT_ID: API_CLIENT_ID,
        OBO_MANAGED_IDENTITY_CLIENT_ID: API_IDENTITY,
      }),
      ...settings,
    },
  });
  function forget(): void {
    site.graph.reset();
    site.identity.reset();
    tenant.reset();
  }

  await site.findEvent('started');
  for (let attempt = 0; !actsForUsersAlone(policy) && !isAnswered(site); attempt++) {
    if (attempt === 500) throw new Error('The app did not warm up; was it built?');
    await delay(10);
  }
  site.identity.reset();
  const issued: string[] = [];
  return {
    ...site,
    tenant,
    forget,
    async bearer(appId, subject = {}, options = {}) {
      const roles = subject.scp === undefined ? { roles: [ROLE] } : {};
      const { version = 2, hostile, claims } = options;
      const iss = version === 2 && hostile !== 'wrongIssuer' ? { iss: v2Issuer } : {};
      const issueOptions = { ...options, claims: { ...iss, ...claims } };
      const token = await tenant.issue({ audience: AUDIENCE, appId, ...roles, ...subject }, issueOptions);
      issued.push(token);
      return `Bearer ${token}`;
    },
    openSession: (call) => openSession(site.url, call),
    async close() {
      await site.close();
      await tenant.close();
      ca.remove();
      const signatures = issued.flatMap((token) => token.split('.').slice(2)).filter((part) => part !== '');
      const leak = site.lines.find(({ message }) => signatures.some((signature) => message.includes(signature)));
      if (leak !== undefined) throw new Error(`A log line holds a caller's token: ${leak.message}`);
    },
  };
}

function actsForUsersAlone(policy: unknown): boolean {
  const parsed = parsePolicy(policy);
  const callers = parsed.kind === 'ok' ? parsed.document.callers : [];
  return callers.length > 0 && callers.every(({ actsAs }) => actsAs === 'user');
}

function isAnswered({ identity }: Site): boolean {
  return identity.requests.some(({ status }) => status !== undefined);
}

/** One that vouches for itself: two authorities of one name, as createCertificate makes them, cannot be trusted side by side. */
async function createTenantCertificate(): Promise<EmulatorCertificate> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  return { ca: cert, cert, key };
}

/** NODE_EXTRA_CA_CERTS holds Graph's authority already; the tenant's comes in as OpenSSL's own store (Node: --use-openssl-ca). */
function alsoTrusting(caPath: string): Record<string, string> {
  return { NODE_OPTIONS: '--use-openssl-ca', SSL_CERT_FILE: caPath };
}

/** Asks for a session with a body that fits the kind. */
export function openSession(url: string, call: SessionCall): Promise<RawAnswer> {
  const { path, authorization = [], headers = [], kind = 'message', size = 3_000_000 } = call;
  const wrapper = kind === 'todoTask' ? 'attachmentInfo' : 'AttachmentItem';
  const body = Buffer.from(JSON.stringify({ [wrapper]: { attachmentType: 'file', name: 'plan.pdf', size } }));
  return sendRaw(url, {
    method: 'POST',
    target: `/api/${path}`,
    headers: [
      ...['Content-Type', 'application/json', 'Content-Length', String(body.length)],
      ...authorization.flatMap((value) => ['Authorization', value]),
      ...headers,
    ],
    body,
  });
}

/** The path of an item of the kind in a mailbox or group, with ids as they are. */
export function itemPath(kind: ItemKind, owner: 'user' | 'group' = kind === 'post' ? 'group' : 'user'): string {
  const items = {
    message: 'messages/AAMkAG1=',
    event: owner === 'group' ? 'calendar/events/AAMkAG1=' : 'events/AAMkAG1=',
    todoTask: 'todo/lists/AAMkAG2=/tasks/AAMkAG1=',
    outlookTask: 'outlook/tasks/AAMkAG1=',
    post: 'threads/AAQkAG3=/posts/AAMkAG1=',
  } satisfies Record<ItemKind, string>;
  return `${items[kind]}/attachments/createUploadSession`;
}

/** `code` of an error in Graph's shape; undefined where the answer is none. */
export function errorCode({ text }: RawAnswer): string | undefined {
  return errorOf(text)?.code;
}

export function errorMessage({ text }: RawAnswer): string | undefined {
  return errorOf(text)?.message;
}

function errorOf(text: string): { readonly code: string; readonly message: string } | undefined {
  const parsed: { error?: { code: string; message: string } } = text.startsWith('{') ? JSON.parse(text) : {};
  return parsed.error;
}

import { readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startTenantEmulator, type TenantEmulator } from '../../local/emulators/entra/tenant.ts';
import type { TokenErrorName } from '../../local/emulators/entra/tenantErrors.ts';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { startFileErrors } from '../support/errors/fileErrors.ts';
import { startJobErrors } from '../support/errors/jobErrors.ts';
import { startMailErrors } from '../support/errors/mailErrors.ts';
import type { Provocations } from '../support/errors/provocations.ts';
import { startUploadErrors } from '../support/errors/uploadErrors.ts';
import { expectGraphError, postJson, REPOSITORY_ROOT, type Site, startSite } from '../support/site.ts';
import { ROLE, startTenantSite, type TenantSite } from '../support/tenantSite.ts';
import { startThrowingApp, type ThrowingApp } from '../support/throwingApp/startThrowingApp.ts';
import { until } from '../support/until.ts';

const [messageId] = ADELE.items.message;
const ITEM = `me/messages/${messageId}/attachments/createUploadSession`;
const AUDIENCE = 'api://upload-session-proxy';
const ADD_IN = 'b4a1c2d3-5e6f-4a7b-8c9d-0e1f2a3b4c5d';
const USERS_POLICY = {
  callers: [
    {
      name: 'Add-in',
      appId: ADD_IN,
      delegated: true,
      actsAs: 'user',
      kinds: ['message'],
      sources: ['https://files.contoso.example/'],
    },
  ],
};

let site: Site;
/** Every mailbox is open, and nothing says which one `me` is. */
let siteWithoutMe: Site;
let siteWithEntra: Site;
let siteWithFaults: Site;
let siteOnOtherPlatform: Site;
let siteForUsers: TenantSite;
let tenant: TenantEmulator;
let throwingApp: ThrowingApp;
let uploadErrors: Provocations;
let fileErrors: Provocations;
let jobErrors: Provocations;
let mailErrors: Provocations;

beforeAll(async () => {
  tenant = await startTenantEmulator();
  const settings = { REQUEST_TIMEOUT_MS: '4000', GRAPH_MAX_ATTEMPTS: '1', MAILBOX_QUEUE_LENGTH: '0' };
  site = await startSite({ settings });
  siteWithoutMe = await startSite({
    settings: { ME_MAILBOX: '', ALLOW_ANY_MAILBOX: 'true' },
    identity: { lifetimeSeconds: 1 },
  });
  siteWithFaults = await startSite({ settings: { REQUEST_TIMEOUT_MS: 'soon' } });
  siteOnOtherPlatform = await startSite({ host: { missingMembers: ['ProgrammingModel.getCapabilities'] } });
  siteWithEntra = await startSite({
    settings: {
      CALLER_AUTH: 'entra',
      ENTRA_TENANT_ID: tenant.tenantId,
      API_AUDIENCE: AUDIENCE,
      AZURE_AUTHORITY_HOST: tenant.url,
    },
  });
  siteForUsers = await startTenantSite({ policy: USERS_POLICY, onBehalfOf: {} });
  throwingApp = await startThrowingApp();
  uploadErrors = await startUploadErrors(ITEM);
  fileErrors = await startFileErrors(ITEM.replace('/createUploadSession', ''));
  jobErrors = await startJobErrors();
  mailErrors = await startMailErrors();
});
afterAll(async () => {
  await Promise.all(
    [
      site,
      siteWithoutMe,
      siteWithFaults,
      siteOnOtherPlatform,
      siteWithEntra,
      siteForUsers,
      throwingApp,
      tenant,
      uploadErrors,
      fileErrors,
      jobErrors,
      mailErrors,
    ].map((it) => it.close()),
  );
});

interface Row {
  readonly code: string;
  readonly status: string;
}

/** The rows of the first table, which has a column of numbers for the status. */
function readRows(): Row[] {
  const document = readFileSync(path.join(REPOSITORY_ROOT, 'docs', 'errors.md'), 'utf8');
  const rows = document.matchAll(/^\| `(\w+)` \| (\d{3}|Graph's 4xx) \| [^|]+ \| [^|]+ \|$/gm);
  return [...rows].map(([, code = '', status = '']) => ({ code, status }));
}

function openSession(id: string): Promise<Response> {
  return postJson(`${site.api}/me/messages/${encodeURIComponent(id)}/attachments/createUploadSession`);
}

async function openForUser(refusal: TokenErrorName): Promise<Response> {
  siteForUsers.tenant.play(refusal);
  const authorization = await siteForUsers.bearer(ADD_IN, { scp: ROLE, oid: ADELE.id });
  return postJson(`${siteForUsers.api}/${ITEM}`, undefined, { authorization });
}

async function askForJobOfUser(): Promise<Response> {
  const authorization = await siteForUsers.bearer(ADD_IN, { scp: ROLE, oid: ADELE.id });
  const file = { name: 'a', sourceUrl: 'https://files.contoso.example/a' };
  const headers = { authorization, prefer: 'respond-async' };
  return postJson(`${siteForUsers.api}/${ITEM.replace('/createUploadSession', '')}`, file, headers);
}

/** One request for each code that a caller can receive. */
const PROVOCATIONS: Readonly<Record<string, () => Promise<Response>>> = {
  JobsNeedAppToken: askForJobOfUser,
  PathNotSupported: () => postJson(`${site.api}/me/drive/root`),
  MethodNotAllowed: () => fetch(`${site.api}/${ITEM}`),
  InvalidRequest: () => getFromHost(`${site.api}/${ITEM}`, 'localhost:99999'),
  InvalidId: () => openSession('a%b'),
  MailboxNotNamed: () => postJson(`${siteWithoutMe.api}/${ITEM}`),
  UnsupportedMediaType: () => postJson(`${site.api}/${ITEM}`, '{}', { 'content-type': 'text/plain' }),
  RequestBodyTooLarge: () => postJson(`${site.api}/${ITEM}`, ' '.repeat(65_537)),
  RequestBodyTimeout: () => postSlowly(`${site.api}/${ITEM}`),
  InvalidJson: () => postJson(`${site.api}/${ITEM}`, '{'),
  InvalidAttachment: () => postJson(`${site.api}/${ITEM}`, {}),
  InvalidAuthenticationToken: () => postJson(`${siteWithEntra.api}/${ITEM}`),
  CallerNotAllowed: () => postJson(`${site.api}/${ITEM.replace('me', 'users/megan@contoso.example')}`),
  InteractionRequired: () => openForUser('interactionRequired'),
  ConsentRequired: () => openForUser('consentRequired'),
  UserNotAllowed: () => openForUser('userNotAssigned'),
  SigningKeysUnavailable: async () => {
    tenant.play('failing');
    const token = await tenant.issue({ audience: AUDIENCE, appId: '0d3c5a2e-5a5b-4f0e-9f0b-6d1a3a1c7e10' });
    return postJson(`${siteWithEntra.api}/${ITEM}`, undefined, { authorization: `Bearer ${token}` });
  },
  ServiceMisconfigured: () => postJson(`${siteWithFaults.api}/${ITEM}`),
  PlatformNotSupported: () => fetch(`${siteOnOtherPlatform.api}/health`),
  // The query hides from the app that the caller sent the id, so it looks like one of the host's.
  RequestNotDelivered: () =>
    fetch(`${site.api}/health?headers=hidden`, { headers: { 'x-ms-invocation-id': crypto.randomUUID() } }),
  MailboxBusy: async () => {
    site.graph.settings.latencyMs = 2_000;
    const responses = await Promise.all(Array.from({ length: 5 }, () => openSession(messageId)));
    site.graph.settings.latencyMs = 0;
    return responses.find(({ status }) => status === 429) ?? Response.error();
  },
  InternalError: () => fetch(`${throwingApp.url}/api/throws`),
  TokenUnavailable: async () => {
    siteWithoutMe.identity.play('absent');
    await delay(1100); // The token that was fetched at the start runs out.
    return postJson(`${siteWithoutMe.api}/${ITEM.replace('me', `users/${ADELE.id}`)}`);
  },
  GraphRejectedToken: () => openSession('error=status401'),
  GraphUnreachable: () => openSession('error=resetBeforeHeaders'),
  GraphAnswerInvalid: () => openSession('error=noUploadUrl'),
  GraphRefused: () => openSession('error=html413'),
  GraphThrottled: () => openSession('error=html429'),
  GraphUnavailable: () => openSession('error=html503'),
  TimedOut: () => openSession('error=hangBeforeHeaders'),
};

/** Codes that are only in the log. */
const UNHEARD: Readonly<Record<string, () => Promise<void>>> = {
  CallerDisconnected: async () => {
    const caller = new AbortController();
    const id = encodeURIComponent('error=hangBeforeHeaders;nonce=disconnected');
    const options = { method: 'POST', signal: caller.signal, headers: { 'content-type': 'application/json' } };
    const body = '{"AttachmentItem":{"attachmentType":"file","name":"a","size":3000000}}';
    const sent = fetch(`${site.api}/me/messages/${id}/attachments/createUploadSession`, { ...options, body });
    await until('the call to Graph', () => site.graph.requests.some(({ path }) => path.includes(id)));
    caller.abort();
    await sent.catch(() => {});
  },
};

/** Sends on, past the time of a request, and then ends: the answer comes through once the body has. */
async function postSlowly(url: string): Promise<Response> {
  const request = http.request(url, { method: 'POST', headers: { 'content-type': 'application/json' }, agent: false });
  const answered = readResponse(request);
  for (let elapsedMs = 0; elapsedMs < 5_000; elapsedMs += 100) {
    request.write(' '.repeat(500));
    await delay(100);
  }
  request.end();
  return answered;
}

function getFromHost(url: string, host: string): Promise<Response> {
  return readResponse(http.get(url, { headers: { host }, agent: false }));
}

async function readResponse(request: http.ClientRequest): Promise<Response> {
  const incoming = await new Promise<http.IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return new Response(Buffer.concat(chunks), { status: incoming.statusCode ?? 0 });
}

const rows = readRows();

test('finds every code of the table', () => {
  const sources = [PROVOCATIONS, uploadErrors.codes, fileErrors.codes, jobErrors.codes, mailErrors.codes, UNHEARD];
  const provoked = sources.flatMap((codes) => Object.keys(codes));

  expect(rows.map(({ code }) => code).sort()).toEqual(provoked.sort());
});

test.each(rows.filter(({ code }) => !(code in UNHEARD)))('answers $code with $status', async ({ code, status }) => {
  const errors = [uploadErrors, fileErrors, jobErrors, mailErrors].map(({ codes }) => codes);
  const provoke = Object.assign({ ...PROVOCATIONS }, ...errors)[code];
  if (provoke === undefined) throw new Error(`Nothing provokes ${code}.`);

  const response = await provoke();

  const expected = status === "Graph's 4xx" ? 413 : Number(status);
  await expectGraphError(response, expected, code);
});

test.each(rows.filter(({ code }) => code in UNHEARD))('logs $code with $status', async ({ code, status }) => {
  await UNHEARD[code]?.();

  const line = await site.findEvent('request', (event) => event['code'] === code);

  expect(line['status']).toBe(Number(status));
});

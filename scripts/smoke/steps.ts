import type { SmokeClient } from './client.ts';
import { expectError, expectStatus, expectThat, member, skip, Unexpected } from './expect.ts';
import type { SmokeOptions } from './options.ts';

export interface Step {
  readonly name: string;
  /** May resolve to a text to print. */
  run(): Promise<unknown>;
}

/** Over the smallest that Graph takes, so that the answer depends on the policy and the mailbox alone. */
const ITEM = { AttachmentItem: { attachmentType: 'file', name: 'smoke-test.bin', size: 5_242_880 } };

const NAME = 'smoke-test.txt';
const TEXT = 'A smoke test of the proxy has attached this file.\n';

/** What to do if the proxy does not know the caller. */
const CREDENTIALS = 'pass --key or --token, or the one that is right';

/** The steps in order; later ones build on what earlier ones found. */
export function listSteps(client: SmokeClient, options: SmokeOptions): readonly Step[] {
  const { item, refusedMailbox, url } = options;
  const itemPath = attachmentsPath(item?.mailbox ?? 'smoke-test@example.invalid', item?.message ?? 'AAMkAGsmoke=');
  const sessionPath = `${itemPath}/createUploadSession`;
  let uploadUrl: string | undefined;
  return [
    { name: 'health', run: () => health(client) },
    { name: 'readiness', run: () => readiness(client, options) },
    { name: 'OpenAPI document', run: () => openApi(client) },
    {
      name: 'unknown path: 404 in Graph’s shape',
      async run() {
        expectError(await client.call('POST', 'v1.0/smoke-test', { body: ITEM }), 404, 'PathNotSupported', CREDENTIALS);
      },
    },
    {
      name: 'wrong method: 405 with Allow',
      async run() {
        const answer = await client.call('GET', sessionPath);
        expectError(answer, 405, 'MethodNotAllowed', CREDENTIALS);
        expectThat(answer.header('allow') === 'POST', 'the header Allow: POST');
      },
    },
    { name: 'wrong body: 400 with every fault', run: () => wrongBody(client, sessionPath) },
    { name: 'file without a name: 400', run: () => fileWithoutName(client, itemPath) },
    {
      name: 'mailbox that is not admitted: 403',
      async run() {
        if (refusedMailbox === undefined) skip('no --refused-mailbox');
        const path = `${attachmentsPath(refusedMailbox, 'AAMkAGsmoke=')}/createUploadSession`;
        const advice = 'the policy must not admit this mailbox';
        expectError(await client.call('POST', path, { body: ITEM }), 403, 'CallerNotAllowed', advice);
      },
    },
    {
      name: 'upload session: 201',
      async run() {
        if (item === undefined) skip('no --mailbox and --message');
        const answer = await client.call('POST', sessionPath, { body: ITEM });
        expectStatus(answer, 201);
        const given = member(answer.json, 'uploadUrl');
        expectThat(typeof given === 'string' && given !== '', 'an uploadUrl in the answer');
        const expires = Date.parse(String(member(answer.json, 'expirationDateTime')));
        expectThat(expires > Date.now(), 'an expirationDateTime in the future');
        uploadUrl = given;
      },
    },
    {
      name: 'upload host',
      async run() {
        if (uploadUrl === undefined) skip('no session');
        expectThat(isUploadHost(uploadUrl, url), 'https and a known upload host of Outlook, or the proxy itself');
        return new URL(uploadUrl).hostname;
      },
    },
    {
      name: 'session cancelled: 204',
      async run() {
        if (uploadUrl === undefined) skip('no session');
        if (options.keepsSession) skip('--keep-session; it expires by itself');
        // Whatever the step before thought of it, a DELETE must not go to a host that nobody knows.
        if (!isUploadHost(uploadUrl, url)) skip('the upload host is unknown');
        expectStatus(await client.cancel(uploadUrl), 204);
      },
    },
    { name: 'chunks of a workflow: 200 and 204', run: () => workflowUpload(client, itemPath, options) },
    { name: 'file attached: 201', run: () => attach(client, itemPath, options) },
  ];
}

function attachmentsPath(mailbox: string, message: string): string {
  return `v1.0/users/${encodeURIComponent(mailbox)}/messages/${encodeURIComponent(message)}/attachments`;
}

async function health(client: SmokeClient): Promise<string> {
  const answer = await client.call('GET', 'health', { isOpen: true });
  expectStatus(answer, 200, 'on 503 the log at start names the fault');
  expectThat(member(answer.json, 'status') === 'ok', '"status": "ok"');
  return `version ${String(member(answer.json, 'version'))}`;
}

/** Behind a function key also where callers bring tokens. */
async function readiness(client: SmokeClient, { key }: SmokeOptions): Promise<void> {
  const answer = await client.call('GET', 'health/ready');
  if (answer.status === 401 && key === undefined) skip('it needs --key');
  const checks = member(answer.json, 'checks');
  const failing = ['settings', 'policy', 'token'].filter((check) => member(checks, check) !== 'ok');
  if (member(checks, 'storage') === 'failing') failing.push('storage'); // `none` is a choice.
  if (checks !== undefined && failing.length > 0)
    throw new Unexpected(`expected every check ok, failing: ${failing.join(', ')}`);
  expectStatus(answer, 200);
}

async function openApi(client: SmokeClient): Promise<void> {
  const answer = await client.call('GET', 'openapi.json', { isOpen: true });
  expectStatus(answer, 200);
  expectThat(String(member(answer.json, 'openapi')).startsWith('3.1'), '"openapi": "3.1…"');
  const paths = Object.keys(member(answer.json, 'paths') ?? {});
  expectThat(
    paths.some((path) => path.endsWith('/createUploadSession')),
    'a path that ends in /createUploadSession',
  );
}

async function wrongBody(client: SmokeClient, path: string): Promise<void> {
  const body = { AttachmentItem: { attachmentType: 'String', size: 4 } };
  const error = expectError(await client.call('POST', path, { body }), 400, 'InvalidAttachment', CREDENTIALS);
  const details = Array.isArray(error['details']) ? error['details'] : [];
  const targets = details.map((detail) => String(member(detail, 'target')));
  const expected = ['/AttachmentItem/attachmentType', '/AttachmentItem/name'];
  expectThat(
    expected.every((target) => targets.includes(target)),
    `faults at ${expected.join(' and ')}, got ${targets.join(', ') || 'none'}`,
  );
}

/** Refused before any mailbox is looked at, so that it needs none. */
async function fileWithoutName(client: SmokeClient, path: string): Promise<void> {
  const answer = await client.call('POST', path, { bytes: TEXT, headers: { 'content-type': 'text/plain' } });
  const error = expectError(answer, 400, 'InvalidAttachment', CREDENTIALS);
  expectThat(error['target'] === '?name', 'a fault at ?name');
}

/** Begins as a workflow does, and ends there: the address for its chunks must be one that leads back to the proxy. */
async function workflowUpload(
  client: SmokeClient,
  path: string,
  { item, keepsSession, url }: SmokeOptions,
): Promise<void> {
  if (item === undefined) skip('no --mailbox and --message');
  const headers = { 'x-ms-transfer-mode': 'chunked', 'x-ms-content-length': '5242880' };
  const answer = await client.call('POST', `${path}?name=${NAME}`, { headers });
  if (answer.status === 501) skip('the proxy has no storage account');
  expectStatus(answer, 200);
  const location = answer.header('location') ?? '';
  expectThat(isOfProxy(location, url), 'an address of the proxy itself (PUBLIC_BASE_URL) in Location');
  if (!keepsSession) expectStatus(await client.cancel(location), 204);
}

async function attach(client: SmokeClient, path: string, { item, attaches }: SmokeOptions): Promise<void> {
  if (item === undefined || !attaches) skip('no --attach');
  const headers = { 'content-type': 'text/plain' };
  const answer = await client.call('POST', `${path}?name=${NAME}`, { bytes: TEXT, headers });
  expectStatus(answer, 201);
  expectThat(member(answer.json, 'name') === NAME, `an attachment with the name ${NAME}`);
}

/** learn.microsoft.com/graph/outlook-large-attachments shows the first; the second is what many tenants get; the others are Exchange's in national clouds. */
const UPLOAD_HOSTS = new Set([
  'outlook.office.com',
  'outlook.office365.com',
  'outlook.office365.us',
  'outlook-dod.office365.us',
  'partner.outlook.cn',
]);

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Whether an uploadUrl lies where Outlook's do, or is one of the proxy itself; for a proxy on this machine, the emulated Graph's on
 * this machine too.
 */
function isUploadHost(uploadUrl: string, proxyUrl: string): boolean {
  if (isOfProxy(uploadUrl, proxyUrl)) return true;
  const address = URL.parse(uploadUrl);
  if (address?.protocol !== 'https:' || address.username !== '' || address.password !== '') return false;
  if (UPLOAD_HOSTS.has(address.host)) return true;
  return LOOPBACK.has(address.hostname) && LOOPBACK.has(new URL(proxyUrl).hostname);
}

/** Whether an address is one that the proxy has made for an upload. */
function isOfProxy(uploadUrl: string, proxyUrl: string): boolean {
  const address = URL.parse(uploadUrl);
  return address?.origin === new URL(proxyUrl).origin && address.pathname.startsWith('/api/uploadSessions/');
}

import { attach, fileWithoutName, workflowUpload } from './attachSteps.ts';
import type { SmokeClient } from './client.ts';
import { expectError, expectStatus, expectThat, member, Unexpected } from './expect.ts';
import type { SmokeOptions } from './options.ts';
import { CREDENTIALS, PASSED, type StepResult } from './stepResult.ts';
import { isUploadHost } from './uploadHost.ts';

export interface Step {
  readonly name: string;
  run(): Promise<StepResult>;
}

/** Over the smallest that Graph takes, so that the answer depends on the policy and the mailbox alone. */
const ITEM = { AttachmentItem: { attachmentType: 'file', name: 'smoke-test.bin', size: 5_242_880 } };

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
        return PASSED;
      },
    },
    {
      name: 'wrong method: 405 with Allow',
      async run() {
        const answer = await client.call('GET', sessionPath);
        expectError(answer, 405, 'MethodNotAllowed', CREDENTIALS);
        expectThat(answer.header('allow') === 'POST', 'the header Allow: POST');
        return PASSED;
      },
    },
    { name: 'wrong body: 400 with every fault', run: () => wrongBody(client, sessionPath) },
    { name: 'file without a name: 400', run: () => fileWithoutName(client, itemPath) },
    {
      name: 'mailbox that is not admitted: 403',
      async run() {
        if (refusedMailbox === undefined) return { kind: 'skipped', why: 'no --refused-mailbox' };
        const path = `${attachmentsPath(refusedMailbox, 'AAMkAGsmoke=')}/createUploadSession`;
        const advice = 'the policy must not admit this mailbox';
        expectError(await client.call('POST', path, { body: ITEM }), 403, 'CallerNotAllowed', advice);
        return PASSED;
      },
    },
    {
      name: 'upload session: 201',
      async run() {
        if (item === undefined) return { kind: 'skipped', why: 'no --mailbox and --message' };
        const answer = await client.call('POST', sessionPath, { body: ITEM });
        expectStatus(answer, 201);
        const given = member(answer.json, 'uploadUrl');
        expectThat(typeof given === 'string' && given !== '', 'an uploadUrl in the answer');
        const expires = Date.parse(String(member(answer.json, 'expirationDateTime')));
        expectThat(expires > Date.now(), 'an expirationDateTime in the future');
        uploadUrl = given;
        return PASSED;
      },
    },
    {
      name: 'upload host',
      async run() {
        if (uploadUrl === undefined) return { kind: 'skipped', why: 'no session' };
        expectThat(isUploadHost(uploadUrl, url), 'https and a known upload host of Outlook, or the proxy itself');
        return { kind: 'passed', detail: new URL(uploadUrl).hostname };
      },
    },
    {
      name: 'session cancelled: 204',
      async run() {
        if (uploadUrl === undefined) return { kind: 'skipped', why: 'no session' };
        if (options.keepsSession) return { kind: 'skipped', why: '--keep-session; it expires by itself' };
        // Whatever the step before thought of it, a DELETE must not go to a host that nobody knows.
        if (!isUploadHost(uploadUrl, url)) return { kind: 'skipped', why: 'the upload host is unknown' };
        expectStatus(await client.cancel(uploadUrl), 204);
        return PASSED;
      },
    },
    { name: 'chunks of a workflow: 200 and 204', run: () => workflowUpload(client, itemPath, options) },
    { name: 'file attached: 201', run: () => attach(client, itemPath, options) },
  ];
}

function attachmentsPath(mailbox: string, message: string): string {
  return `v1.0/users/${encodeURIComponent(mailbox)}/messages/${encodeURIComponent(message)}/attachments`;
}

async function health(client: SmokeClient): Promise<StepResult> {
  const answer = await client.call('GET', 'health', { isOpen: true });
  expectStatus(answer, 200, 'on 503 the log at start names the fault');
  expectThat(member(answer.json, 'status') === 'ok', '"status": "ok"');
  return { kind: 'passed', detail: `version ${String(member(answer.json, 'version'))}` };
}

/** Behind a function key also where callers bring tokens. */
async function readiness(client: SmokeClient, { key }: SmokeOptions): Promise<StepResult> {
  const answer = await client.call('GET', 'health/ready');
  if (answer.status === 401 && key === undefined) return { kind: 'skipped', why: 'it needs --key' };
  const checks = member(answer.json, 'checks');
  const failing = ['settings', 'policy', 'token'].filter((check) => member(checks, check) !== 'ok');
  if (member(checks, 'storage') === 'failing') failing.push('storage'); // `none` is a choice.
  if (checks !== undefined && failing.length > 0)
    throw new Unexpected(`expected every check ok, failing: ${failing.join(', ')}`);
  expectStatus(answer, 200);
  return PASSED;
}

async function openApi(client: SmokeClient): Promise<StepResult> {
  const answer = await client.call('GET', 'openapi.json', { isOpen: true });
  expectStatus(answer, 200);
  expectThat(String(member(answer.json, 'openapi')).startsWith('3.1'), '"openapi": "3.1…"');
  const paths = Object.keys(member(answer.json, 'paths') ?? {});
  expectThat(
    paths.some((path) => path.endsWith('/createUploadSession')),
    'a path that ends in /createUploadSession',
  );
  return PASSED;
}

async function wrongBody(client: SmokeClient, path: string): Promise<StepResult> {
  const body = { AttachmentItem: { attachmentType: 'String', size: 4 } };
  const error = expectError(await client.call('POST', path, { body }), 400, 'InvalidAttachment', CREDENTIALS);
  const details = Array.isArray(error['details']) ? error['details'] : [];
  const targets = details.map((detail) => String(member(detail, 'target')));
  const expected = ['/AttachmentItem/attachmentType', '/AttachmentItem/name'];
  expectThat(
    expected.every((target) => targets.includes(target)),
    `faults at ${expected.join(' and ')}, got ${targets.join(', ') || 'none'}`,
  );
  return PASSED;
}

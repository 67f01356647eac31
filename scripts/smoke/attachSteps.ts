import type { SmokeClient } from './client.ts';
import { expectError, expectStatus, expectThat, member } from './expect.ts';
import type { SmokeOptions } from './options.ts';
import { CREDENTIALS, PASSED, type StepResult } from './stepResult.ts';
import { isOfProxy } from './uploadHost.ts';

const NAME = 'smoke-test.txt';
const TEXT = 'A smoke test of the proxy has attached this file.\n';

/** Refused before any mailbox is looked at, so that it needs none. */
export async function fileWithoutName(client: SmokeClient, path: string): Promise<StepResult> {
  const answer = await client.call('POST', path, { bytes: TEXT, headers: { 'content-type': 'text/plain' } });
  const error = expectError(answer, 400, 'InvalidAttachment', CREDENTIALS);
  expectThat(error['target'] === '?name', 'a fault at ?name');
  return PASSED;
}

/** Begins as a workflow does, and ends there: the address for its chunks must be one that leads back to the proxy. */
export async function workflowUpload(
  client: SmokeClient,
  path: string,
  { item, keepsSession, url }: SmokeOptions,
): Promise<StepResult> {
  if (item === undefined) return { kind: 'skipped', why: 'no --mailbox and --message' };
  const headers = { 'x-ms-transfer-mode': 'chunked', 'x-ms-content-length': '5242880' };
  const answer = await client.call('POST', `${path}?name=${NAME}`, { headers });
  if (answer.status === 501) return { kind: 'skipped', why: 'the proxy has no storage account' };
  expectStatus(answer, 200);
  const location = answer.header('location') ?? '';
  expectThat(isOfProxy(location, url), 'an address of the proxy itself (PUBLIC_BASE_URL) in Location');
  if (keepsSession) return PASSED;
  expectStatus(await client.cancel(location), 204);
  return PASSED;
}

export async function attach(client: SmokeClient, path: string, { item, attaches }: SmokeOptions): Promise<StepResult> {
  if (item === undefined || !attaches) return { kind: 'skipped', why: 'no --attach' };
  const headers = { 'content-type': 'text/plain' };
  const answer = await client.call('POST', `${path}?name=${NAME}`, { bytes: TEXT, headers });
  expectStatus(answer, 201);
  expectThat(member(answer.json, 'name') === NAME, `an attachment with the name ${NAME}`);
  return PASSED;
}

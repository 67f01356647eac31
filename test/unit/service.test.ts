import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '../../shared/config/readSettings.ts';
import { createService, type Service } from '../../shared/service.ts';
import { APP_ID, incomingRequest, invocation, policyEntry, REQUEST_ID, TENANT_ID } from '../support/builders.ts';

let appRoot: string;

beforeAll(() => {
  appRoot = mkdtempSync(join(tmpdir(), 'service-'));
});

afterAll(() => {
  rmSync(appRoot, { recursive: true });
});

interface Started {
  readonly service: Service;
  /** What the app wrote so far. */
  lines(): { level: string; event: Record<string, unknown> }[];
}

function start(environment: Environment): Started {
  const written: { level: string; line: string }[] = [];
  const service = createService({ environment, appRoot, log: (level, line) => written.push({ level, line }) });
  return { service, lines: () => written.map(({ level, line }) => ({ level, event: JSON.parse(line) })) };
}

/** A credential that fails before it would ask anyone: its file is not there. */
const NO_CERTIFICATE = {
  GRAPH_CREDENTIAL: 'clientCertificate',
  AZURE_TENANT_ID: TENANT_ID,
  AZURE_CLIENT_ID: APP_ID,
  AZURE_CLIENT_CERTIFICATE_PATH: 'absent.pem',
};

const ENTRA = { CALLER_AUTH: 'entra', ENTRA_TENANT_ID: TENANT_ID, API_AUDIENCE: 'api://proxy' };
const POLICY = JSON.stringify({ callers: [policyEntry()] });

describe('createService', () => {
  it.each([
    [{}, 'none', 'nothing: there is no policy'],
    [{ ME_MAILBOX: 'adele@contoso.example' }, 'none', 'ME_MAILBOX only'],
    [{ ME_MAILBOX: 'adele@contoso.example', ...ENTRA }, 'none', 'nothing: there is no policy'],
    [{ ALLOW_ANY_MAILBOX: 'true' }, 'none', 'every mailbox and group (ALLOW_ANY_MAILBOX)'],
    [{ POLICY }, 'POLICY', 'what the policy admits'],
  ])('says with the warm-up what %j lets callers reach', async (environment, policy, reach) => {
    const { service, lines } = start({ ...NO_CERTIFICATE, ...environment });

    await service.warmUp();

    expect(service.faults).toEqual([]);
    expect(service.tokens).toBeDefined();
    expect(lines()[0]).toEqual({ level: 'info', event: expect.objectContaining({ event: 'started', policy, reach }) });
  });

  it('does not fail where the warm-up gets no token, and tells why in the log', async () => {
    const { service, lines } = start({ ...NO_CERTIFICATE, POLICY });

    await expect(service.warmUp()).resolves.toBeUndefined();

    expect(lines().slice(1)).toEqual([
      { level: 'error', event: { event: 'tokenFailed', cause: expect.stringContaining('absent.pem') } },
    ]);
  });

  it('asks the platform for a key unless the app checks tokens itself', () => {
    expect(start({}).service.authLevel).toBe('function');
    expect(start(ENTRA).service.authLevel).toBe('anonymous');
    expect(start({ CALLER_AUTH: 'Entra' }).service.authLevel).toBe('function');
  });

  it('names every fault of the settings in the log, with no value', () => {
    const { service, lines } = start({
      REQUEST_TIMEOUT_MS: 'Zq7-marker',
      GRAPH_CREDENTIAL: 'clientSecret',
      AZURE_CLIENT_SECRET: 'Zq7-marker',
    });

    expect(lines()).toEqual(
      ['REQUEST_TIMEOUT_MS', 'AZURE_TENANT_ID', 'AZURE_CLIENT_ID'].map((setting) => ({
        level: 'error',
        event: { event: 'misconfigured', part: 'settings', setting, fault: expect.any(String) },
      })),
    );
    expect(JSON.stringify(lines())).not.toContain('Zq7-marker');
    expect(service.tokens).toBeUndefined();
  });

  it('names every fault of the policy in the log, with its place', () => {
    const { lines } = start({ POLICY: JSON.stringify({ callers: [{ appId: APP_ID }] }) });

    expect(lines()).toEqual(
      ['/callers/0/name', '/callers/0/kinds'].map((pointer) => ({
        level: 'error',
        event: { event: 'misconfigured', part: 'policy', setting: 'POLICY', pointer, fault: 'is missing' },
      })),
    );
  });

  it.each([
    { CALLER_AUTH: 'entra' },
    { POLICY: '{"callers":5}' },
    { POLICY_FILE: 'absent.json', ALLOW_ANY_MAILBOX: 'true' },
  ])('answers every request 503 over %j and admits nobody', async (environment) => {
    const { service } = start(environment);
    const { context, lines } = invocation();

    const response = await service.handleGraphPath(
      { kind: 'read', request: incomingRequest() },
      'users/u/messages/m/attachments/createUploadSession',
      context,
    );

    expect(response.status).toBe(503);
    expect(JSON.parse(response.body)).toMatchObject({
      error: {
        code: 'ServiceMisconfigured',
        message: 'The service is not configured; its operator must look at its log.',
        innerError: { 'request-id': REQUEST_ID },
      },
    });
    expect(lines.map(({ level, text }) => ({ level, event: JSON.parse(text) }))).toEqual([
      { level: 'error', event: { event: 'request', code: 'ServiceMisconfigured', status: 503, requestId: REQUEST_ID } },
    ]);
  });

  it('warms nothing up and ends quietly where it is misconfigured', async () => {
    const { service, lines } = start({ CALLER_AUTH: 'entra' });

    await expect(service.warmUp()).resolves.toBeUndefined();
    expect(lines()).toHaveLength(2);
    await expect(service.close()).resolves.toBeUndefined();
  });

  it('answers an unknown path without looking for a token', async () => {
    const { service } = start({ ME_MAILBOX: 'adele@contoso.example' });

    const response = await service.handleGraphPath(
      { kind: 'read', request: incomingRequest() },
      'nothing',
      invocation().context,
    );

    expect(response.status).toBe(404);
  });
});

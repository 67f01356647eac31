import { parseConfig } from '../../../shared/config/config.ts';
import type { ConfigError, Environment } from '../../../shared/config/readSettings.ts';
import { APP_ID, configOf, TENANT_ID } from '../../support/builders.ts';

function faultsOf(environment: Environment): readonly ConfigError[] {
  const result = parseConfig(environment);
  return result.kind === 'faulty' ? result.faults : [];
}

const REGISTRATION = { AZURE_TENANT_ID: TENANT_ID, AZURE_CLIENT_ID: APP_ID };
const AUTHORITY = 'https://login.microsoftonline.com';

describe('parseConfig', () => {
  it('needs no setting at all: function keys, the system-assigned identity, the default policy file', () => {
    expect(configOf()).toEqual({
      callerAuth: { kind: 'functionKey' },
      policySource: { kind: 'defaultFile', path: 'policy.json' },
      meMailbox: undefined,
      allowAnyMailbox: false,
      jobs: { kind: 'none' },
      graphOrigin: 'https://graph.microsoft.com',
      credential: { kind: 'managedIdentity', clientId: undefined },
      uploadUrl: 'graph',
      publicBaseUrl: undefined,
      uploadHosts: [
        ...['outlook.office.com', 'outlook.office365.com', 'outlook.office365.us', 'outlook-dod.office365.us'],
        ...['partner.outlook.cn', 'graph.microsoft.com'],
      ],
      corsAllowedOrigins: [],
      maxRequestBodyBytes: 104_857_600,
      storage: { kind: 'none' },
      requestTimeoutMs: 30_000,
      sendSettleMs: 30_000,
      uploadTimeoutMs: 100_000,
      attachTimeoutMs: 220_000,
      graphMaxAttempts: 4,
      mailboxQueueLength: 64,
      isDevelopment: false,
      maxJsonAttachmentBytes: 26_214_400,
      maxMessageBytes: 157_286_400,
      maxSizes: { outlookBytes: 157_286_400, toDoBytes: 26_214_400 },
      logMailbox: 'hashed',
    });
  });

  it('takes the maximum sizes, the limits and the mailbox from their settings', () => {
    const config = configOf({
      ME_MAILBOX: 'adele@contoso.example',
      ALLOW_ANY_MAILBOX: 'true',
      GRAPH_BASE_URL: 'https://dod-graph.microsoft.us',
      REQUEST_TIMEOUT_MS: '1000',
      GRAPH_MAX_ATTEMPTS: '1',
      MAILBOX_QUEUE_LENGTH: '7',
      MAX_OUTLOOK_ATTACHMENT_BYTES: '10',
      MAX_TODO_ATTACHMENT_BYTES: '5',
      LOG_MAILBOX: 'plain',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example:4318',
    });

    expect(config).toMatchObject({
      meMailbox: 'adele@contoso.example',
      allowAnyMailbox: true,
      graphOrigin: 'https://dod-graph.microsoft.us',
      requestTimeoutMs: 1_000,
      graphMaxAttempts: 1,
      mailboxQueueLength: 7,
      maxSizes: { outlookBytes: 10, toDoBytes: 5 },
      logMailbox: 'plain',
      otlpEndpoint: 'https://collector.example:4318',
    });
  });

  it('takes where bytes go from the settings, and always Graph itself', () => {
    const config = configOf({
      UPLOAD_URL: 'proxy',
      PUBLIC_BASE_URL: 'https://Uploads.contoso.com/',
      UPLOAD_HOSTS: 'outlook.office365.us',
      GRAPH_BASE_URL: 'https://graph.microsoft.us',
    });

    expect(config).toMatchObject({
      uploadUrl: 'proxy',
      publicBaseUrl: 'https://uploads.contoso.com',
      uploadHosts: ['outlook.office365.us', 'graph.microsoft.us'],
    });
  });

  it.each([
    [{ AZURE_CLIENT_ID: APP_ID }, { kind: 'managedIdentity', clientId: APP_ID }],
    [{ GRAPH_CREDENTIAL: 'developer', AZURE_FUNCTIONS_ENVIRONMENT: 'Development' }, { kind: 'developer' }],
    [
      { GRAPH_CREDENTIAL: 'clientSecret', ...REGISTRATION, AZURE_CLIENT_SECRET: 's' },
      { kind: 'clientSecret', tenantId: TENANT_ID, clientId: APP_ID, authorityHost: AUTHORITY, clientSecret: 's' },
    ],
    [
      { GRAPH_CREDENTIAL: 'clientCertificate', ...REGISTRATION, AZURE_CLIENT_CERTIFICATE_PATH: 'app.pem' },
      {
        kind: 'clientCertificate',
        tenantId: TENANT_ID,
        clientId: APP_ID,
        authorityHost: AUTHORITY,
        certificatePath: 'app.pem',
        certificatePassword: undefined,
      },
    ],
    [
      {
        GRAPH_CREDENTIAL: 'workloadIdentity',
        ...REGISTRATION,
        AZURE_FEDERATED_TOKEN_FILE: 'token',
        AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.us/',
      },
      {
        kind: 'workloadIdentity',
        tenantId: TENANT_ID,
        clientId: APP_ID,
        authorityHost: 'https://login.microsoftonline.us',
        tokenFilePath: 'token',
      },
    ],
  ])('builds the credential of %j', (environment, credential) => {
    expect(configOf(environment).credential).toEqual(credential);
  });

  it.each([
    ['clientSecret', ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_CLIENT_SECRET']],
    ['clientCertificate', ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_CLIENT_CERTIFICATE_PATH']],
    ['workloadIdentity', ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_FEDERATED_TOKEN_FILE']],
  ])('demands with %s each of %j', (kind, required) => {
    expect(faultsOf({ GRAPH_CREDENTIAL: kind })).toEqual(
      required.map((setting) => ({ setting, fault: `must be set with GRAPH_CREDENTIAL=${kind}` })),
    );
  });

  it.each([undefined, 'Production', 'development', 'Staging'])('refuses the developer credential in %s', (name) => {
    const faults = faultsOf({ GRAPH_CREDENTIAL: 'developer', AZURE_FUNCTIONS_ENVIRONMENT: name });

    expect(faults).toEqual([
      { setting: 'GRAPH_CREDENTIAL', fault: 'developer is for AZURE_FUNCTIONS_ENVIRONMENT=Development only' },
    ]);
  });

  it('reads what callers must bring with entra', () => {
    const { callerAuth } = configOf({
      CALLER_AUTH: 'entra',
      ENTRA_TENANT_ID: TENANT_ID.toUpperCase(),
      API_AUDIENCE: 'api://proxy,other',
      API_ROLE: 'Attach',
      AZURE_AUTHORITY_HOST: 'https://login.chinacloudapi.cn',
    });

    expect(callerAuth).toEqual({
      kind: 'entra',
      tenantId: TENANT_ID,
      audiences: ['api://proxy', 'other'],
      role: 'Attach',
      authorityHost: 'https://login.chinacloudapi.cn',
    });
  });

  it('demands tenant and audience with entra, each once', () => {
    expect(faultsOf({ CALLER_AUTH: 'entra' })).toEqual([
      { setting: 'ENTRA_TENANT_ID', fault: 'must be set with CALLER_AUTH=entra' },
      { setting: 'API_AUDIENCE', fault: 'must be set with CALLER_AUTH=entra' },
    ]);
    expect(
      faultsOf({ CALLER_AUTH: 'entra', ENTRA_TENANT_ID: 'x', API_AUDIENCE: ',' }).map(({ setting }) => setting),
    ).toEqual(['ENTRA_TENANT_ID', 'API_AUDIENCE']);
  });

  it.each([
    [{}, { kind: 'defaultFile', path: 'policy.json' }],
    [{ POLICY_FILE: ' ' }, { kind: 'defaultFile', path: 'policy.json' }],
    [{ POLICY_FILE: 'policy.json' }, { kind: 'file', path: 'policy.json' }],
    [{ POLICY_FILE: 'conf/other.json' }, { kind: 'file', path: 'conf/other.json' }],
    [{ POLICY: '{"callers":[]}' }, { kind: 'inline', document: { callers: [] } }],
    [{ POLICY: 'null' }, { kind: 'inline', document: null }],
  ])('takes the policy of %j', (environment, source) => {
    expect(configOf(environment).policySource).toEqual(source);
  });

  it('refuses a policy together with a policy file', () => {
    expect(faultsOf({ POLICY: '{"callers":[]}', POLICY_FILE: 'policy.json' })).toEqual([
      { setting: 'POLICY', fault: 'must not be set beside POLICY_FILE' },
    ]);
  });

  it('does not take a Graph without TLS, not even on the loopback', () => {
    expect(faultsOf({ GRAPH_BASE_URL: 'http://localhost:8080' })).toEqual([
      { setting: 'GRAPH_BASE_URL', fault: 'must be https' },
    ]);
  });

  it('says the faults of every part at once', () => {
    const faults = faultsOf({
      CALLER_AUTH: 'entra',
      GRAPH_BASE_URL: 'http://127.0.0.1',
      GRAPH_CREDENTIAL: 'clientSecret',
      AZURE_CLIENT_ID: 'x',
      POLICY: '{',
      REQUEST_TIMEOUT_MS: 'soon',
    });

    expect(faults.map(({ setting }) => setting).sort()).toEqual([
      'API_AUDIENCE',
      'AZURE_CLIENT_ID',
      'AZURE_CLIENT_SECRET',
      'AZURE_TENANT_ID',
      'ENTRA_TENANT_ID',
      'GRAPH_BASE_URL',
      'POLICY',
      'REQUEST_TIMEOUT_MS',
    ]);
  });
});

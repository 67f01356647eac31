import {
  DEFAULT_ATTACH_TIMEOUT_MS,
  DEFAULT_GRAPH_ATTEMPTS,
  DEFAULT_JOB_TIMEOUT_MINUTES,
  DEFAULT_MAILBOX_QUEUE_LENGTH,
  DEFAULT_MAX_JSON_ATTACHMENT_BYTES,
  DEFAULT_MAX_OUTLOOK_ATTACHMENT_BYTES,
  DEFAULT_MAX_TODO_ATTACHMENT_BYTES,
  DEFAULT_REQUEST_BODY_LIMIT_BYTES,
  DEFAULT_REQUEST_TIMEOUT_MS,
  DEFAULT_UPLOAD_TIMEOUT_MS,
  MAX_GRAPH_ATTEMPTS,
  MAX_JOB_TIMEOUT_MINUTES,
  MAX_MAILBOX_QUEUE_LENGTH,
  MAX_REQUEST_TIMEOUT_MS,
  MAX_SETTABLE_ATTACHMENT_BYTES,
  MAX_SETTABLE_JSON_ATTACHMENT_BYTES,
  MAX_SETTABLE_REQUEST_BODY_LIMIT_BYTES,
  MIN_REQUEST_TIMEOUT_MS,
} from '../limits.ts';

/** How a setting's text is read; `config.ts` has one reader per kind. */
export type SettingKind =
  | { readonly kind: 'text' }
  | { readonly kind: 'guid' }
  | { readonly kind: 'list' }
  | { readonly kind: 'hosts' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'origin' }
  | { readonly kind: 'origins' }
  | { readonly kind: 'url' }
  | { readonly kind: 'json' }
  | { readonly kind: 'oneOf'; readonly values: readonly string[] }
  | { readonly kind: 'integer'; readonly min: number; readonly max: number };

interface Setting {
  readonly reads: SettingKind;
  /** The text that is read when the setting is absent. */
  readonly default?: string;
  /** Its value must not reach a log, a template or a document. */
  readonly secret?: true;
  readonly about: string;
}

/**
 * Every setting of the app, as data. docs/configuration.md is generated from this table; the deployment templates are
 * checked against it. Settings of the platform (IDENTITY_ENDPOINT and so on) are not the app's, but for those that it reads.
 */
export const SETTINGS = {
  CALLER_AUTH: {
    reads: { kind: 'oneOf', values: ['functionKey', 'entra'] },
    default: 'functionKey',
    about:
      'How callers prove who they are. `functionKey`: the platform demands a function key, and all holders of a key are one caller. `entra`: the app verifies Entra access tokens itself.',
  },
  ENTRA_TENANT_ID: {
    reads: { kind: 'guid' },
    about:
      "The tenant whose tokens are accepted. Required with CALLER_AUTH=entra. It is the callers' tenant; the credential's is AZURE_TENANT_ID.",
  },
  API_AUDIENCE: {
    reads: { kind: 'list' },
    about:
      "The accepted `aud` values, separated by commas: the API's application ID URI, its client id, or both. Required with CALLER_AUTH=entra.",
  },
  API_ROLE: {
    reads: { kind: 'text' },
    default: 'UploadSession.Create',
    about: 'The app role (or, in a delegated token, the scope) that a token must hold with CALLER_AUTH=entra.',
  },
  POLICY_FILE: {
    reads: { kind: 'text' },
    default: 'policy.json',
    about:
      'The policy document, relative to host.json. The default file may be absent; a file that is named must exist. docs/policy.md has the format.',
  },
  POLICY: {
    reads: { kind: 'json' },
    about: 'The policy document itself, as JSON, in place of a file.',
  },
  ME_MAILBOX: {
    reads: { kind: 'text' },
    about:
      'The mailbox (userPrincipalName or object id) that `me` stands for when the policy names none for the caller. Without a policy it is the only mailbox that function key holders reach.',
  },
  ALLOW_ANY_MAILBOX: {
    reads: { kind: 'boolean' },
    default: 'false',
    about:
      'Without a policy: lets every authenticated caller reach every mailbox and group that the app itself may. Refused beside a policy.',
  },
  GRAPH_BASE_URL: {
    reads: { kind: 'origin' },
    default: 'https://graph.microsoft.com',
    about:
      "Graph's root, https only. National clouds: https://graph.microsoft.us, https://dod-graph.microsoft.us, https://microsoftgraph.chinacloudapi.cn. The token's scope follows it.",
  },
  GRAPH_CREDENTIAL: {
    reads: {
      kind: 'oneOf',
      values: ['managedIdentity', 'clientSecret', 'clientCertificate', 'workloadIdentity', 'developer'],
    },
    default: 'managedIdentity',
    about:
      "The credential that gets the app-only token; there is no silent chain. `developer` uses the developer's own sign-in (Azure CLI, Azure PowerShell, azd) and is refused outside AZURE_FUNCTIONS_ENVIRONMENT=Development.",
  },
  AZURE_CLIENT_ID: {
    reads: { kind: 'guid' },
    about:
      'With managedIdentity: the user-assigned identity (absent: the system-assigned one). With the other credentials: the app registration.',
  },
  AZURE_TENANT_ID: {
    reads: { kind: 'text' },
    about: 'The tenant of the credential. Required with clientSecret, clientCertificate and workloadIdentity.',
  },
  AZURE_CLIENT_SECRET: {
    reads: { kind: 'text' },
    secret: true,
    about: 'Required with clientSecret. In Azure, a Key Vault reference.',
  },
  AZURE_CLIENT_CERTIFICATE_PATH: {
    reads: { kind: 'text' },
    about: 'The PEM file with certificate and key. Required with clientCertificate.',
  },
  AZURE_CLIENT_CERTIFICATE_PASSWORD: {
    reads: { kind: 'text' },
    secret: true,
    about: "The PEM file's password, where it has one.",
  },
  AZURE_FEDERATED_TOKEN_FILE: {
    reads: { kind: 'text' },
    about: "The file with the workload's own token. Required with workloadIdentity.",
  },
  AZURE_AUTHORITY_HOST: {
    reads: { kind: 'origin' },
    default: 'https://login.microsoftonline.com',
    about:
      "The Entra authority of the cloud, for the credentials and for callers' tokens. National clouds: https://login.microsoftonline.us, https://login.chinacloudapi.cn.",
  },
  OBO_CLIENT_ID: {
    reads: { kind: 'guid' },
    about:
      "The app registration that asks for tokens on behalf of users: the one whose audience callers' tokens have. Required where the policy says `actsAs: user`; needs CALLER_AUTH=entra.",
  },
  OBO_TENANT_ID: {
    reads: { kind: 'guid' },
    about: 'The tenant of that registration and of the users. Absent: ENTRA_TENANT_ID.',
  },
  OBO_CREDENTIAL: {
    reads: { kind: 'oneOf', values: ['managedIdentity', 'clientSecret', 'clientCertificate'] },
    default: 'managedIdentity',
    about:
      'How the registration proves itself. `managedIdentity`: with a token of the managed identity, which stands in the registration as a federated credential; there is no secret.',
  },
  OBO_MANAGED_IDENTITY_CLIENT_ID: {
    reads: { kind: 'guid' },
    about:
      'With OBO_CREDENTIAL=managedIdentity: the user-assigned identity. Absent: AZURE_CLIENT_ID, where that names an identity (GRAPH_CREDENTIAL=managedIdentity).',
  },
  OBO_CLIENT_SECRET: {
    reads: { kind: 'text' },
    secret: true,
    about: 'Required with OBO_CREDENTIAL=clientSecret. In Azure, a Key Vault reference.',
  },
  OBO_CERTIFICATE_PATH: {
    reads: { kind: 'text' },
    about: 'The PEM file with certificate and key, without a password. Required with OBO_CREDENTIAL=clientCertificate.',
  },
  AZURE_FUNCTIONS_ENVIRONMENT: {
    reads: { kind: 'text' },
    default: 'Production',
    about: 'Set by the platform; `func start` and `npm run host` set Development.',
  },
  UPLOAD_URL: {
    reads: { kind: 'oneOf', values: ['graph', 'proxy'] },
    default: 'graph',
    about:
      "Whose uploadUrl a caller gets when the policy says nothing for it: Graph's own, or one at the proxy, through which the bytes then go.",
  },
  PUBLIC_BASE_URL: {
    reads: { kind: 'origin' },
    about:
      "The proxy's address as callers see it, for the uploadUrls that it gives out. Absent: the host that the request was sent to. Set it where something stands in front that changes the host.",
  },
  CORS_ALLOWED_ORIGINS: {
    reads: { kind: 'origins' },
    about:
      'The origins whose browser pages may call the proxy, such as `https://addin.contoso.com`, or `*` for every origin. The app answers their preflights and allows their requests, never with credentials. Absent: the app allows no other origin. If the platform has a CORS list of its own, that list wins.',
  },
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: {
    reads: { kind: 'integer', min: 1, max: MAX_SETTABLE_REQUEST_BODY_LIMIT_BYTES },
    default: String(DEFAULT_REQUEST_BODY_LIMIT_BYTES),
    about:
      "The platform's own setting: the largest body of one request, in bytes. The platform ends a larger request with an empty 500. The app reads the setting to refuse a larger file with 413 before its first byte. The templates and local.settings.json set 167772160, enough for 150 MiB in chunks of any usual size.",
  },
  UPLOAD_HOSTS: {
    reads: { kind: 'hosts' },
    default:
      'outlook.office.com,outlook.office365.com,outlook.office365.us,outlook-dod.office365.us,partner.outlook.cn',
    about:
      "The hosts that the proxy sends bytes to, besides Graph's own. Graph's uploadUrl on any other host is refused, and nothing is sent there.",
  },
  AzureWebJobsStorage: {
    reads: { kind: 'text' },
    secret: true,
    about:
      'The connection string of the storage account that the host and the app share; it goes before the settings that follow. `UseDevelopmentStorage=true` means Azurite on its usual ports. Without any account the app opens upload sessions, and answers 501 where it would have to keep something.',
  },
  AzureWebJobsStorage__accountName: {
    reads: { kind: 'text' },
    about:
      'The name of that account, reached with an identity in place of a key; in the public cloud (core.windows.net) only. Elsewhere give the two addresses.',
  },
  AzureWebJobsStorage__blobServiceUri: {
    reads: { kind: 'url' },
    about: "The account's address for blobs, https only, where accountName does not give it.",
  },
  AzureWebJobsStorage__queueServiceUri: {
    reads: { kind: 'url' },
    about: "The account's address for queues, https only, where accountName does not give it.",
  },
  AzureWebJobsStorage__clientId: {
    reads: { kind: 'guid' },
    about: 'The user-assigned identity for the account (absent: the system-assigned one).',
  },
  AzureWebJobsStorage__credential: {
    reads: { kind: 'text' },
    about:
      "`managedidentity`. Absent: the same, but with AZURE_FUNCTIONS_ENVIRONMENT=Development the developer's own sign-in.",
  },
  JOB_KEY: {
    reads: { kind: 'text' },
    secret: true,
    about:
      'What the messages of jobs are sealed with (docs/operate.md): 32 characters or more, the same in all instances and not in the storage account. In Azure, a Key Vault reference. Absent: WEBSITE_AUTH_ENCRYPTION_KEY. Without either there are no jobs.',
  },
  WEBSITE_AUTH_ENCRYPTION_KEY: {
    reads: { kind: 'text' },
    secret: true,
    about: 'Set by the platform: a key of the app that all its instances have.',
  },
  JOB_TIMEOUT_MINUTES: {
    reads: { kind: 'integer', min: 1, max: MAX_JOB_TIMEOUT_MINUTES },
    default: String(DEFAULT_JOB_TIMEOUT_MINUTES),
    about: 'The whole time of a job, in minutes, waits included. Past it the job has failed, with the last reason.',
  },
  REQUEST_TIMEOUT_MS: {
    reads: { kind: 'integer', min: MIN_REQUEST_TIMEOUT_MS, max: MAX_REQUEST_TIMEOUT_MS },
    default: String(DEFAULT_REQUEST_TIMEOUT_MS),
    about:
      'The time for one request as a whole, in milliseconds: body, token, retries and waits included. Past it the answer is 504.',
  },
  UPLOAD_TIMEOUT_MS: {
    reads: { kind: 'integer', min: MIN_REQUEST_TIMEOUT_MS, max: MAX_REQUEST_TIMEOUT_MS },
    default: String(DEFAULT_UPLOAD_TIMEOUT_MS),
    about:
      "The time for one range of bytes at an upload's address, in milliseconds, from its first byte to Graph's answer: retries included.",
  },
  ATTACH_TIMEOUT_MS: {
    reads: { kind: 'integer', min: MIN_REQUEST_TIMEOUT_MS, max: MAX_REQUEST_TIMEOUT_MS },
    default: String(DEFAULT_ATTACH_TIMEOUT_MS),
    about: "The time for attaching a file in one call, in milliseconds, from its first byte to Graph's last answer.",
  },
  GRAPH_MAX_ATTEMPTS: {
    reads: { kind: 'integer', min: 1, max: MAX_GRAPH_ATTEMPTS },
    default: String(DEFAULT_GRAPH_ATTEMPTS),
    about:
      'How often a request is sent to Graph at most: 1 means no retry. A token that Graph refuses is renewed and tried once more besides.',
  },
  MAILBOX_QUEUE_LENGTH: {
    reads: { kind: 'integer', min: 0, max: MAX_MAILBOX_QUEUE_LENGTH },
    default: String(DEFAULT_MAILBOX_QUEUE_LENGTH),
    about:
      'How many requests may wait for one mailbox, in each instance, while four are under way at Graph. One more is answered 429.',
  },
  MAX_OUTLOOK_ATTACHMENT_BYTES: {
    reads: { kind: 'integer', min: 1, max: MAX_SETTABLE_ATTACHMENT_BYTES },
    default: String(DEFAULT_MAX_OUTLOOK_ATTACHMENT_BYTES),
    about: 'The largest declared size for messages, events, posts and outlookTasks, in bytes.',
  },
  MAX_TODO_ATTACHMENT_BYTES: {
    reads: { kind: 'integer', min: 1, max: MAX_SETTABLE_ATTACHMENT_BYTES },
    default: String(DEFAULT_MAX_TODO_ATTACHMENT_BYTES),
    about: 'The largest declared size for To Do tasks, in bytes.',
  },
  MAX_JSON_ATTACHMENT_BYTES: {
    reads: { kind: 'integer', min: 1, max: MAX_SETTABLE_JSON_ATTACHMENT_BYTES },
    default: String(DEFAULT_MAX_JSON_ATTACHMENT_BYTES),
    about:
      'The largest file that is taken as contentBytes in JSON, in bytes after decoding; it is held in memory. Larger files are sent as bytes or by address.',
  },
  LOG_MAILBOX: {
    reads: { kind: 'oneOf', values: ['hashed', 'plain'] },
    default: 'hashed',
    about:
      'How a mailbox or a group appears in the log: as the first 16 hex digits of the SHA-256 of its lower-case spelling, or as the caller wrote it.',
  },
  APPLICATIONINSIGHTS_CONNECTION_STRING: {
    reads: { kind: 'text' },
    secret: true,
    about: 'Read by the platform, which sends the log lines and request records to Application Insights.',
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    reads: { kind: 'url' },
    about:
      'Where spans of the calls to Graph are sent over OTLP/HTTP; absent: nothing is loaded and nothing sent. The exporter reads OTEL_EXPORTER_OTLP_HEADERS itself.',
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    reads: { kind: 'text' },
    secret: true,
    about: "The exporter's own headers, such as an access key, in OpenTelemetry's form `name=value,name=value`.",
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

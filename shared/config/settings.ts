import {
  DEFAULT_ATTACH_TIMEOUT_MS,
  DEFAULT_GRAPH_ATTEMPTS,
  DEFAULT_JOB_TIMEOUT_MINUTES,
  DEFAULT_MAILBOX_QUEUE_LENGTH,
  DEFAULT_MAX_JSON_ATTACHMENT_BYTES,
  DEFAULT_MAX_MESSAGE_BYTES,
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
} from '../common/limits.ts';

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
 * checked against it. Settings of the platform (IDENTITY_ENDPOINT and so on) are in it only if the app reads them.
 */
export const SETTINGS = {
  CALLER_AUTH: {
    reads: { kind: 'oneOf', values: ['functionKey', 'entra'] },
    default: 'functionKey',
    about:
      'How the proxy identifies callers. `functionKey`: the platform checks a function key, and all holders of a key are one caller. `entra`: the app verifies Entra access tokens.',
  },
  ENTRA_TENANT_ID: {
    reads: { kind: 'guid' },
    about: "The callers' tenant. Required with CALLER_AUTH=entra.",
  },
  API_AUDIENCE: {
    reads: { kind: 'list' },
    about: 'Accepted `aud` values: application ID URI, client id, or both. Required with CALLER_AUTH=entra.',
  },
  API_ROLE: {
    reads: { kind: 'text' },
    default: 'UploadSession.Create',
    about: "The app role, or in a user's token the scope, that a token must contain.",
  },
  POLICY_FILE: {
    reads: { kind: 'text' },
    default: 'policy.json',
    about: 'The policy file, relative to host.json. Only the default file may be absent. See policy.md.',
  },
  POLICY: {
    reads: { kind: 'json' },
    about: 'The policy document as JSON, instead of a file.',
  },
  ME_MAILBOX: {
    reads: { kind: 'text' },
    about:
      'The mailbox (userPrincipalName or object id) for `me` if the policy names none. Without a policy, holders of a function key reach only this mailbox.',
  },
  ALLOW_ANY_MAILBOX: {
    reads: { kind: 'boolean' },
    default: 'false',
    about:
      '`true` lets every authenticated caller reach every mailbox and group that the app can access. Invalid together with a policy.',
  },
  GRAPH_BASE_URL: {
    reads: { kind: 'origin' },
    default: 'https://graph.microsoft.com',
    about:
      "Graph's root. National clouds: https://graph.microsoft.us, https://dod-graph.microsoft.us, https://microsoftgraph.chinacloudapi.cn.",
  },
  GRAPH_CREDENTIAL: {
    reads: {
      kind: 'oneOf',
      values: ['managedIdentity', 'clientSecret', 'clientCertificate', 'workloadIdentity', 'developer'],
    },
    default: 'managedIdentity',
    about:
      "The credential for the app's token. `developer` uses your own sign-in and is invalid outside AZURE_FUNCTIONS_ENVIRONMENT=Development.",
  },
  AZURE_CLIENT_ID: {
    reads: { kind: 'guid' },
    about:
      'With managedIdentity: the user-assigned identity; if absent, the system-assigned one. Otherwise: the app registration.',
  },
  AZURE_TENANT_ID: {
    reads: { kind: 'text' },
    about: "The credential's tenant. Required with clientSecret, clientCertificate and workloadIdentity.",
  },
  AZURE_CLIENT_SECRET: {
    reads: { kind: 'text' },
    secret: true,
    about: 'Required with clientSecret. Use a Key Vault reference in Azure.',
  },
  AZURE_CLIENT_CERTIFICATE_PATH: {
    reads: { kind: 'text' },
    about: 'PEM file with certificate and key. Required with clientCertificate.',
  },
  AZURE_CLIENT_CERTIFICATE_PASSWORD: {
    reads: { kind: 'text' },
    secret: true,
    about: 'Password of the PEM file, if it has one.',
  },
  AZURE_FEDERATED_TOKEN_FILE: {
    reads: { kind: 'text' },
    about: "File with the workload's token. Required with workloadIdentity.",
  },
  AZURE_AUTHORITY_HOST: {
    reads: { kind: 'origin' },
    default: 'https://login.microsoftonline.com',
    about: "Entra's authority. National clouds: https://login.microsoftonline.us, https://login.chinacloudapi.cn.",
  },
  OBO_CLIENT_ID: {
    reads: { kind: 'guid' },
    about:
      "The app registration that gets tokens on behalf of users. It is the audience of callers' tokens. Required if the policy contains `actsAs: user`. Needs CALLER_AUTH=entra.",
  },
  OBO_TENANT_ID: {
    reads: { kind: 'guid' },
    about: 'The tenant of that registration. If absent: ENTRA_TENANT_ID.',
  },
  OBO_CREDENTIAL: {
    reads: { kind: 'oneOf', values: ['managedIdentity', 'clientSecret', 'clientCertificate'] },
    default: 'managedIdentity',
    about: "The registration's credential. `managedIdentity` uses the identity as a federated credential.",
  },
  OBO_MANAGED_IDENTITY_CLIENT_ID: {
    reads: { kind: 'guid' },
    about:
      'With OBO_CREDENTIAL=managedIdentity: the user-assigned identity. If absent: AZURE_CLIENT_ID with GRAPH_CREDENTIAL=managedIdentity.',
  },
  OBO_CLIENT_SECRET: {
    reads: { kind: 'text' },
    secret: true,
    about: 'Required with OBO_CREDENTIAL=clientSecret. Use a Key Vault reference in Azure.',
  },
  OBO_CERTIFICATE_PATH: {
    reads: { kind: 'text' },
    about: 'PEM file with certificate and key, without a password. Required with OBO_CREDENTIAL=clientCertificate.',
  },
  AZURE_FUNCTIONS_ENVIRONMENT: {
    reads: { kind: 'text' },
    default: 'Production',
    about: 'Set by the platform. `func start` and `npm run host` set Development.',
  },
  UPLOAD_URL: {
    reads: { kind: 'oneOf', values: ['graph', 'proxy'] },
    default: 'graph',
    about: "Which uploadUrl callers get unless the policy sets it: Graph's, or one of the proxy.",
  },
  PUBLIC_BASE_URL: {
    reads: { kind: 'origin' },
    about: "The proxy's URL in uploadUrls. If absent: the host of the request. Set it if a gateway changes the host.",
  },
  CORS_ALLOWED_ORIGINS: {
    reads: { kind: 'origins' },
    about:
      'Origins whose browser pages may call the proxy, such as `https://addin.contoso.com`, or `*`. The proxy never allows credentials. A CORS list of the platform takes precedence.',
  },
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: {
    reads: { kind: 'integer', min: 1, max: MAX_SETTABLE_REQUEST_BODY_LIMIT_BYTES },
    default: String(DEFAULT_REQUEST_BODY_LIMIT_BYTES),
    about:
      "The platform's limit for request bodies, in bytes. The platform returns an empty 500 for larger requests. The app returns 413 for files that are declared larger. The templates and local.settings.json set 167772160, enough for 150 MiB.",
  },
  UPLOAD_HOSTS: {
    reads: { kind: 'hosts' },
    default:
      'outlook.office.com,outlook.office365.com,outlook.office365.us,outlook-dod.office365.us,partner.outlook.cn',
    about: "Hosts that the proxy sends bytes to, in addition to Graph's. Other uploadUrls return 502.",
  },
  AzureWebJobsStorage: {
    reads: { kind: 'text' },
    secret: true,
    about:
      "Connection string of the app's storage account. It takes precedence over the next settings. `UseDevelopmentStorage=true` means Azurite. Without an account, requests that need storage return 501.",
  },
  AzureWebJobsStorage__accountName: {
    reads: { kind: 'text' },
    about: 'Name of the account, accessed with an identity. Public cloud only; otherwise set both URLs.',
  },
  AzureWebJobsStorage__blobServiceUri: {
    reads: { kind: 'url' },
    about: "The account's blob URL, https only.",
  },
  AzureWebJobsStorage__queueServiceUri: {
    reads: { kind: 'url' },
    about: "The account's queue URL, https only.",
  },
  AzureWebJobsStorage__clientId: {
    reads: { kind: 'guid' },
    about: 'The user-assigned identity for the account. If absent: the system-assigned one.',
  },
  AzureWebJobsStorage__credential: {
    reads: { kind: 'text' },
    about: '`managedidentity`, the default. In Development the default is your own sign-in.',
  },
  JOB_KEY: {
    reads: { kind: 'text' },
    secret: true,
    about:
      'Seals the queue messages of jobs: 32 characters or more, the same in all instances. Use a Key Vault reference in Azure. If absent: WEBSITE_AUTH_ENCRYPTION_KEY. Without both, jobs return 501.',
  },
  WEBSITE_AUTH_ENCRYPTION_KEY: {
    reads: { kind: 'text' },
    secret: true,
    about: 'Set by the platform: a key that all instances of the app share.',
  },
  JOB_TIMEOUT_MINUTES: {
    reads: { kind: 'integer', min: 1, max: MAX_JOB_TIMEOUT_MINUTES },
    default: String(DEFAULT_JOB_TIMEOUT_MINUTES),
    about: 'Timeout of a job in minutes, waits included. The job fails with the last reason.',
  },
  REQUEST_TIMEOUT_MS: {
    reads: { kind: 'integer', min: MIN_REQUEST_TIMEOUT_MS, max: MAX_REQUEST_TIMEOUT_MS },
    default: String(DEFAULT_REQUEST_TIMEOUT_MS),
    about: 'Timeout of a request in milliseconds, retries and waits included. Then the proxy returns 504.',
  },
  UPLOAD_TIMEOUT_MS: {
    reads: { kind: 'integer', min: MIN_REQUEST_TIMEOUT_MS, max: MAX_REQUEST_TIMEOUT_MS },
    default: String(DEFAULT_UPLOAD_TIMEOUT_MS),
    about: 'Timeout of one range in milliseconds, retries included.',
  },
  ATTACH_TIMEOUT_MS: {
    reads: { kind: 'integer', min: MIN_REQUEST_TIMEOUT_MS, max: MAX_REQUEST_TIMEOUT_MS },
    default: String(DEFAULT_ATTACH_TIMEOUT_MS),
    about: 'Timeout of attaching a file in one call, in milliseconds.',
  },
  GRAPH_MAX_ATTEMPTS: {
    reads: { kind: 'integer', min: 1, max: MAX_GRAPH_ATTEMPTS },
    default: String(DEFAULT_GRAPH_ATTEMPTS),
    about:
      'Calls to Graph per request; 1 means no retry. The proxy repeats the call once more if Graph rejects the token.',
  },
  MAILBOX_QUEUE_LENGTH: {
    reads: { kind: 'integer', min: 0, max: MAX_MAILBOX_QUEUE_LENGTH },
    default: String(DEFAULT_MAILBOX_QUEUE_LENGTH),
    about: 'Requests per instance that may wait for one mailbox while four are in progress. Others return 429.',
  },
  MAX_OUTLOOK_ATTACHMENT_BYTES: {
    reads: { kind: 'integer', min: 1, max: MAX_SETTABLE_ATTACHMENT_BYTES },
    default: String(DEFAULT_MAX_OUTLOOK_ATTACHMENT_BYTES),
    about: 'Largest file for messages, events, posts and outlookTasks, in bytes.',
  },
  MAX_TODO_ATTACHMENT_BYTES: {
    reads: { kind: 'integer', min: 1, max: MAX_SETTABLE_ATTACHMENT_BYTES },
    default: String(DEFAULT_MAX_TODO_ATTACHMENT_BYTES),
    about: 'Largest file for To Do tasks, in bytes.',
  },
  MAX_JSON_ATTACHMENT_BYTES: {
    reads: { kind: 'integer', min: 1, max: MAX_SETTABLE_JSON_ATTACHMENT_BYTES },
    default: String(DEFAULT_MAX_JSON_ATTACHMENT_BYTES),
    about: 'Largest file in contentBytes of a JSON body, in bytes after decoding. The file stays in memory.',
  },
  MAX_MESSAGE_BYTES: {
    reads: { kind: 'integer', min: 1, max: MAX_SETTABLE_ATTACHMENT_BYTES },
    default: String(DEFAULT_MAX_MESSAGE_BYTES),
    about:
      'Largest mail with its files, in bytes. Exchange Online sends mails of up to 35 MB unless the tenant raises its limit.',
  },
  SEND_SETTLE_SECONDS: {
    reads: { kind: 'integer', min: 1, max: 120 },
    default: '30',
    about:
      'How long a draft must stay unsent after a failed send before the proxy sends it once more. Exchange shows a mail as a draft for a while after it has sent it.',
  },
  LOG_MAILBOX: {
    reads: { kind: 'oneOf', values: ['hashed', 'plain'] },
    default: 'hashed',
    about:
      'How the log shows mailboxes and groups: the first 16 hex digits of the SHA-256 of the lower-case name, or the name.',
  },
  APPLICATIONINSIGHTS_CONNECTION_STRING: {
    reads: { kind: 'text' },
    secret: true,
    about: 'Read by the platform, which sends logs and request records to Application Insights.',
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    reads: { kind: 'url' },
    about: 'URL for spans of calls to Graph (OTLP/HTTP). If absent, the app sends no spans.',
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    reads: { kind: 'text' },
    secret: true,
    about: 'Headers of the exporter, such as an access key: `name=value,name=value`.',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

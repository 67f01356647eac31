import type { ItemKind } from '../paths/entityModel.ts';
import { mailboxError } from '../paths/opaqueId.ts';
import { type JobsConfig, jobsConfig } from './jobsConfig.ts';
import { type OnBehalfOfConfig, onBehalfOf } from './onBehalfOf.ts';
import { type ConfigError, type Environment, readSettings, type SettingValues } from './readSettings.ts';
import { required } from './required.ts';
import { type StorageConfig, storageConfig } from './storageConfig.ts';

export type CredentialConfig =
  | { readonly kind: 'managedIdentity'; readonly clientId: string | undefined }
  | { readonly kind: 'developer' }
  | ({ readonly kind: 'clientSecret'; readonly clientSecret: string } & AppRegistration)
  | ({
      readonly kind: 'clientCertificate';
      readonly certificatePath: string;
      readonly certificatePassword: string | undefined;
    } & AppRegistration)
  | ({ readonly kind: 'workloadIdentity'; readonly tokenFilePath: string } & AppRegistration);

interface AppRegistration {
  readonly tenantId: string;
  readonly clientId: string;
  readonly authorityHost: string;
}

export type CallerAuthConfig =
  | { readonly kind: 'functionKey' }
  | {
      readonly kind: 'entra';
      readonly tenantId: string;
      readonly audiences: readonly string[];
      readonly role: string;
      readonly authorityHost: string;
    };

/** Whose uploadUrl a caller gets: Graph's own, or one at the proxy. */
export type UploadUrlChoice = 'graph' | 'proxy';

/** Where the policy comes from. `defaultFile` may be absent, `file` must exist. */
export type PolicySource =
  | { readonly kind: 'inline'; readonly document: unknown }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'defaultFile'; readonly path: string };

/** The checked configuration. Only parseConfig makes one. */
export interface Config {
  readonly callerAuth: CallerAuthConfig;
  readonly policySource: PolicySource;
  readonly meMailbox: string | undefined;
  readonly allowAnyMailbox: boolean;
  readonly graphOrigin: string;
  readonly credential: CredentialConfig;
  /** How tokens of users are got; undefined: nobody acts as a user. */
  readonly onBehalfOf: OnBehalfOfConfig | undefined;
  /** Whose uploadUrl a caller gets when the policy says nothing for it. */
  readonly uploadUrl: UploadUrlChoice;
  /** The proxy's own origin as callers see it; undefined: the host of the request. */
  readonly publicBaseUrl: string | undefined;
  /** As URL.host spells them; Graph's own host is among them. */
  readonly uploadHosts: readonly string[];
  /** Origins whose browser pages may call the app, as browsers write them; `*` alone allows every origin. */
  readonly corsAllowedOrigins: readonly string[];
  /** The largest body that the platform takes, in bytes. */
  readonly maxRequestBodyBytes: number;
  readonly storage: StorageConfig;
  readonly jobs: JobsConfig;
  readonly requestTimeoutMs: number;
  /** For one request at an upload's address. */
  readonly uploadTimeoutMs: number;
  /** For attaching a file in one call. */
  readonly attachTimeoutMs: number;
  readonly graphMaxAttempts: number;
  readonly mailboxQueueLength: number;
  readonly maxSizes: { readonly outlookBytes: number; readonly toDoBytes: number };
  /** A developer's machine: only there may loopback be a source. */
  readonly isDevelopment: boolean;
  /** The largest file in the JSON of one request, decoded. */
  readonly maxJsonAttachmentBytes: number;
  readonly logMailbox: 'hashed' | 'plain';
  readonly otlpEndpoint: string | undefined;
}

export type ConfigResult =
  | { readonly kind: 'ok'; readonly config: Config }
  | { readonly kind: 'faulty'; readonly faults: readonly ConfigError[] };

/** The one reader of the environment: text to a checked configuration, or every fault at once. */
export function parseConfig(environment: Environment): ConfigResult {
  const faults: ConfigError[] = [];
  const values = readSettings(environment, faults);
  if (values.GRAPH_BASE_URL.startsWith('http:')) faults.push({ setting: 'GRAPH_BASE_URL', fault: 'must be https' });
  checkMeMailbox(values.ME_MAILBOX, faults);
  const storage = storageConfig(values, faults);
  const config: Config = {
    callerAuth: callerAuth(values, faults),
    policySource: policySource(values, environment, faults),
    meMailbox: values.ME_MAILBOX,
    allowAnyMailbox: values.ALLOW_ANY_MAILBOX,
    graphOrigin: values.GRAPH_BASE_URL,
    credential: credential(values, faults),
    onBehalfOf: onBehalfOf(values, environment, faults),
    uploadUrl: values.UPLOAD_URL,
    publicBaseUrl: values.PUBLIC_BASE_URL,
    uploadHosts: [...values.UPLOAD_HOSTS, new URL(values.GRAPH_BASE_URL).host],
    corsAllowedOrigins: values.CORS_ALLOWED_ORIGINS ?? [],
    maxRequestBodyBytes: values.FUNCTIONS_REQUEST_BODY_SIZE_LIMIT,
    storage,
    jobs: jobsConfig(values, storage, faults),
    requestTimeoutMs: values.REQUEST_TIMEOUT_MS,
    uploadTimeoutMs: values.UPLOAD_TIMEOUT_MS,
    attachTimeoutMs: values.ATTACH_TIMEOUT_MS,
    graphMaxAttempts: values.GRAPH_MAX_ATTEMPTS,
    mailboxQueueLength: values.MAILBOX_QUEUE_LENGTH,
    maxSizes: { outlookBytes: values.MAX_OUTLOOK_ATTACHMENT_BYTES, toDoBytes: values.MAX_TODO_ATTACHMENT_BYTES },
    isDevelopment: values.AZURE_FUNCTIONS_ENVIRONMENT === 'Development',
    maxJsonAttachmentBytes: values.MAX_JSON_ATTACHMENT_BYTES,
    logMailbox: values.LOG_MAILBOX,
    otlpEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
  };
  return faults.length === 0 ? { kind: 'ok', config } : { kind: 'faulty', faults };
}

/** `me` must never go upstream, and the mailbox goes into a path as an id does. */
function checkMeMailbox(mailbox: string | undefined, faults: ConfigError[]): void {
  if (mailbox === undefined) return;
  const fault = mailbox.toLowerCase() === 'me' ? 'must name a mailbox' : mailboxError(mailbox);
  if (fault !== undefined) faults.push({ setting: 'ME_MAILBOX', fault });
}

function callerAuth(values: SettingValues, faults: ConfigError[]): CallerAuthConfig {
  if (values.CALLER_AUTH === 'functionKey') return { kind: 'functionKey' };
  const because = 'CALLER_AUTH=entra';
  return {
    kind: 'entra',
    tenantId: required(values, 'ENTRA_TENANT_ID', because, faults),
    audiences: values.API_AUDIENCE ?? [required(values, 'API_AUDIENCE', because, faults)],
    role: values.API_ROLE,
    authorityHost: values.AZURE_AUTHORITY_HOST,
  };
}

/** Where the settings say that the policy stands. */
export function policySource(values: SettingValues, environment: Environment, faults: ConfigError[]): PolicySource {
  const isFileNamed = (environment['POLICY_FILE'] ?? '').trim() !== '';
  if (values.POLICY === undefined) {
    return { kind: isFileNamed ? 'file' : 'defaultFile', path: values.POLICY_FILE };
  }
  if (isFileNamed) faults.push({ setting: 'POLICY', fault: 'must not be set beside POLICY_FILE' });
  return { kind: 'inline', document: values.POLICY };
}

function credential(values: SettingValues, faults: ConfigError[]): CredentialConfig {
  const kind = values.GRAPH_CREDENTIAL;
  if (kind === 'managedIdentity') return { kind, clientId: values.AZURE_CLIENT_ID };
  if (kind === 'developer') {
    if (values.AZURE_FUNCTIONS_ENVIRONMENT !== 'Development') {
      faults.push({
        setting: 'GRAPH_CREDENTIAL',
        fault: 'developer is for AZURE_FUNCTIONS_ENVIRONMENT=Development only',
      });
    }
    return { kind };
  }
  const because = `GRAPH_CREDENTIAL=${kind}`;
  const registration: AppRegistration = {
    tenantId: required(values, 'AZURE_TENANT_ID', because, faults),
    clientId: required(values, 'AZURE_CLIENT_ID', because, faults),
    authorityHost: values.AZURE_AUTHORITY_HOST,
  };
  switch (kind) {
    case 'clientSecret':
      return { kind, ...registration, clientSecret: required(values, 'AZURE_CLIENT_SECRET', because, faults) };
    case 'clientCertificate':
      return {
        kind,
        ...registration,
        certificatePath: required(values, 'AZURE_CLIENT_CERTIFICATE_PATH', because, faults),
        certificatePassword: values.AZURE_CLIENT_CERTIFICATE_PASSWORD,
      };
    case 'workloadIdentity':
      return { kind, ...registration, tokenFilePath: required(values, 'AZURE_FEDERATED_TOKEN_FILE', because, faults) };
  }
}

/** The largest file that an item of this kind takes, in bytes. */
export function maxFileBytes(kind: ItemKind, { maxSizes }: Pick<Config, 'maxSizes'>): number {
  return kind === 'todoTask' ? maxSizes.toDoBytes : maxSizes.outlookBytes;
}

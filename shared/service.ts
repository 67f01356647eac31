import { setImmediate as nextTurn } from 'node:timers/promises';
import type { InvocationContext } from '@azure/functions';
import { functionKeyAuthenticator } from './access/caller.ts';
import { createEntraAuthenticator } from './access/entraAuthenticator.ts';
import { loadPolicy } from './access/loadPolicy.ts';
import { actsForUsersAlone } from './access/policy.ts';
import { createConcurrencyLimiter } from './common/concurrencyLimiter.ts';
import { startDeadline } from './common/deadline.ts';
import { lazy } from './common/lazy.ts';
import { TOKEN_TIMEOUT_MS } from './common/limits.ts';
import { type Config, parseConfig } from './config/config.ts';
import type { Environment } from './config/readSettings.ts';
import type { Dependencies } from './dependencies.ts';
import { ServiceError } from './errors.ts';
import { createGraphClient } from './graph/graphClient.ts';
import { createGraphHttp } from './graph/graphHttp.ts';
import { createGraphSpans, type GraphSpans, noSpans } from './graph/graphSpans.ts';
import { handleGraphPath } from './handleGraphPath.ts';
import { handleUrl } from './handleUrl.ts';
import { hasQueueTrigger } from './jobs/hasQueueTrigger.ts';
import { createJobQueue, type JobQueue } from './jobs/jobQueue.ts';
import { createJobStore } from './jobs/jobRecord.ts';
import { type JobMessageKind, runJob } from './jobs/runJob.ts';
import { formatCause } from './logging/mask.ts';
import type { UrlKind } from './routes.ts';
import { preflightResponse } from './server/crossOrigin.ts';
import type { ParsedRequest } from './server/request.ts';
import { readRequestInfo } from './server/requestInfo.ts';
import { errorResponse, type ResponseData } from './server/response.ts';
import { createJsonMemory } from './sources/jsonMemory.ts';
import { createUploadContainer, type UploadContainer } from './storage/blobContainer.ts';
import { createSealedBlobs } from './storage/sealedBlobs.ts';
import { createCredential } from './tokens/credential.ts';
import { createTokenSource, type TokenSource } from './tokens/tokenSource.ts';
import { createUserCredential } from './tokens/userCredential.ts';
import { createUserTokens, type UserTokens } from './tokens/userTokens.ts';
import { createUploadClient } from './transfer/uploadClient.ts';
import { createUploadLocks } from './uploads/putRange.ts';
import { createUploadStore } from './uploads/uploadRecord.ts';

/** A fault of settings or policy, with the name of the setting or the place in the policy. */
export interface StartUpError {
  readonly part: 'settings' | 'policy';
  readonly setting: string;
  readonly pointer?: string;
  readonly fault: string;
}

export interface Service {
  /** Answers a request on one of Graph's own paths: `path` is what stands below the route prefix, decoded once. */
  handleGraphPath(request: ParsedRequest, path: string, context: InvocationContext): Promise<ResponseData>;
  /** Answers a request on the URL of an upload or a job. */
  handleUrl(request: ParsedRequest, kind: UrlKind, id: string, context: InvocationContext): Promise<ResponseData>;
  /** Answers OPTIONS on any path. Costs nothing and reaches nothing. */
  handlePreflight(request: ParsedRequest, context: InvocationContext): ResponseData;
  /** As in Config. Empty if the settings have faults. */
  readonly corsAllowedOrigins: readonly string[];
  /** Absent where the app runs no jobs. @param message of the queue, as the trigger gives it */
  readonly runJob: ((message: unknown, kind: JobMessageKind, context: InvocationContext) => Promise<void>) | undefined;
  /** Empty where the settings and the policy are sound. */
  readonly faults: readonly StartUpError[];
  /** Absent where there are faults, and where every caller acts as its user. */
  readonly tokens: TokenSource | undefined;
  /** Absent where there are faults, or the settings name no storage account. */
  readonly storage: Pick<UploadContainer, 'check'> | undefined;
  /** Absent where there are faults, and where the app runs no jobs. */
  readonly jobs: Pick<JobQueue, 'check'> | undefined;
  /** With CALLER_AUTH=entra the app checks callers itself and the platform asks for no key. */
  readonly authLevel: 'anonymous' | 'function';
  /** Says that the app has started, loads what a first request needs, and fetches the token. Never fails: what went wrong is in the log. */
  warmUp(): Promise<void>;
  /** Lets runs of jobs hand on, and sends what telemetry still holds. */
  close(): Promise<void>;
}

/** What the service does at the edges of the process. */
export interface ServiceEdges {
  readonly environment: Environment;
  /** The folder of host.json. */
  readonly appRoot: string;
  /** One line of the app's own log, outside of any request. */
  readonly log: (level: 'info' | 'error', line: string) => void;
}

/** Builds the dependencies once. Faults do not stop the app: it answers each request 503 and names them in the log. */
export function createService({ environment, appRoot, log }: ServiceEdges): Service {
  const parsed = parseConfig(environment);
  if (parsed.kind === 'faulty') {
    return misconfigured(
      parsed.faults.map((fault) => ({ part: 'settings', ...fault })),
      log,
    );
  }
  const { config } = parsed;
  const policy = loadPolicy({ ...config, canActForUsers: config.onBehalfOf !== undefined }, appRoot);
  if (policy.kind === 'broken') {
    return misconfigured(
      policy.faults.map((fault) => ({ part: 'policy', setting: policy.source, ...fault })),
      log,
      config,
    );
  }
  const onTokenFailure = (error: unknown) =>
    log('error', JSON.stringify({ event: 'tokenFailed', cause: formatCause(error) }));
  const tokens = createTokenSource({
    createCredential: () => createCredential(config.credential),
    scope: `${config.graphOrigin}/.default`,
    onFailure: onTokenFailure,
  });
  const ownTokens = actsForUsersAlone(policy.policy) ? undefined : tokens;
  const userTokens = tokensOfUsers(config, onTokenFailure);
  const container = createUploadContainer(config.storage, (error) =>
    log('error', JSON.stringify({ event: 'storageFailed', cause: formatCause(error) })),
  );
  const jobQueue =
    config.jobs.kind === 'queue' && hasQueueTrigger(appRoot)
      ? createJobQueue(config.jobs, (error) =>
          log('error', JSON.stringify({ event: 'queueFailed', cause: formatCause(error) })),
        )
      : undefined;
  const closing = new AbortController();
  const runs = new Set<Promise<void>>();
  const queue = createConcurrencyLimiter(config.mailboxQueueLength);
  const spans = lazy(() => createSpans(config));
  // The Graph SDK is loaded by the first request that passes every check, or by the warm-up.
  const graphHttp = lazy(async () =>
    createGraphHttp({
      client: await createGraphClient(config.graphOrigin),
      concurrencyLimiter: queue,
      maxAttempts: config.graphMaxAttempts,
      spans: await spans(),
    }),
  );
  const uploads = createUploadStore(container);
  const dependencies: Dependencies = {
    config,
    policy: policy.policy,
    authenticator:
      config.callerAuth.kind === 'entra' ? createEntraAuthenticator(config.callerAuth) : functionKeyAuthenticator,
    graphHttp,
    appTokens: tokens,
    userTokens,
    concurrencyLimiter: queue,
    uploads,
    idempotency: createSealedBlobs(container, 'idempotency'),
    uploadClient: createUploadClient(),
    jsonMemory: createJsonMemory(),
    uploadLocks: createUploadLocks(),
    jobs: { store: createJobStore(container), queue: jobQueue },
    closing: closing.signal,
  };
  return {
    handleGraphPath: (request, path, context) => handleGraphPath(request, path, context, dependencies),
    handleUrl: (request, kind, id, context) => handleUrl(request, kind, id, context, dependencies),
    ...crossOrigin(config),
    runJob:
      jobQueue &&
      (async (message, kind, context) => {
        const run = runJob(message, kind, context, dependencies);
        runs.add(run);
        await run.finally(() => runs.delete(run));
      }),
    faults: [],
    tokens: ownTokens,
    storage: container.isConfigured ? container : undefined,
    jobs: jobQueue,
    authLevel: authLevelOf(config),
    async warmUp() {
      log('info', JSON.stringify(startedLine(config, policy.source)));
      const deadline = startDeadline(TOKEN_TIMEOUT_MS);
      // One library in each turn: what the one before has asked for, and a request that has come, go on in between.
      const token = Promise.allSettled([ownTokens?.acquire(deadline)]);
      await nextTurn();
      const client = Promise.allSettled([graphHttp()]);
      await nextTurn();
      await Promise.allSettled([token, client, userTokens?.prepare()]);
      deadline.end();
    },
    async close() {
      closing.abort();
      await Promise.allSettled(runs);
      await (await spans()).flush();
    },
  };
}

function tokensOfUsers(
  { onBehalfOf, graphOrigin }: Config,
  onFailure: (error: unknown) => void,
): UserTokens | undefined {
  if (onBehalfOf === undefined) return undefined;
  const { authorityHost, tenantId } = onBehalfOf;
  return createUserTokens({
    createCredential: () => createUserCredential(onBehalfOf, onFailure),
    scope: `${graphOrigin}/.default`,
    authorizationUri: `${authorityHost}/${tenantId}/oauth2/v2.0/authorize`,
  });
}

async function createSpans({ otlpEndpoint, graphOrigin }: Config): Promise<GraphSpans> {
  return otlpEndpoint === undefined ? noSpans : createGraphSpans(otlpEndpoint, graphOrigin);
}

function misconfigured(faults: readonly StartUpError[], log: ServiceEdges['log'], config?: Config): Service {
  for (const fault of faults) log('error', JSON.stringify({ event: 'misconfigured', ...fault }));
  const refuse = ({ request }: ParsedRequest, context: InvocationContext): ResponseData => {
    const error = new ServiceError(
      'ServiceMisconfigured',
      'The service is not configured; its operator must look at its log.',
    );
    const info = readRequestInfo(request.headers, context);
    context.error(
      JSON.stringify({ event: 'request', code: error.code, status: error.status, requestId: info.requestId }),
    );
    return errorResponse(error, info, new Date());
  };
  return {
    handleGraphPath: async (request, _path, context) => refuse(request, context),
    handleUrl: async (request, _kind, _id, context) => refuse(request, context),
    ...crossOrigin(config),
    runJob: undefined,
    faults,
    tokens: undefined,
    storage: undefined,
    jobs: undefined,
    warmUp: async () => {},
    close: async () => {},
    authLevel: config === undefined ? 'function' : authLevelOf(config),
  };
}

function crossOrigin(config: Config | undefined): Pick<Service, 'handlePreflight' | 'corsAllowedOrigins'> {
  const corsAllowedOrigins = config?.corsAllowedOrigins ?? [];
  return {
    corsAllowedOrigins,
    handlePreflight: ({ request: { headers } }, context) =>
      preflightResponse(headers, corsAllowedOrigins, readRequestInfo(headers, context)),
  };
}

function authLevelOf({ callerAuth }: Config): Service['authLevel'] {
  return callerAuth.kind === 'entra' ? 'anonymous' : 'function';
}

/** The line at start: where the policy is from, and what may be reached. */
function startedLine({ meMailbox, allowAnyMailbox, callerAuth }: Config, policySource: string): Record<string, string> {
  const line = { event: 'started', callerAuth: callerAuth.kind, policy: policySource };
  if (policySource !== 'none') return { ...line, reach: 'what the policy admits' };
  if (allowAnyMailbox) return { ...line, reach: 'every mailbox and group (ALLOW_ANY_MAILBOX)' };
  const isOnlyMe = meMailbox !== undefined && callerAuth.kind === 'functionKey';
  return { ...line, reach: isOnlyMe ? 'ME_MAILBOX only' : 'nothing: there is no policy' };
}

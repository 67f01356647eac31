import type { Authenticator } from './access/caller.ts';
import type { Policy } from './access/policy.ts';
import type { ConcurrencyLimiter } from './common/concurrencyLimiter.ts';
import type { Deadline } from './common/deadline.ts';
import type { Config } from './config/config.ts';
import type { GraphHttp } from './graph/graphHttp.ts';
import type { JobQueue } from './jobs/jobQueue.ts';
import type { JobStore } from './jobs/jobRecord.ts';
import type { LogEntry } from './logging/logEntry.ts';
import type { IncomingRequest } from './server/request.ts';
import type { RequestInfo } from './server/requestInfo.ts';
import type { JsonMemory } from './sources/jsonMemory.ts';
import type { SealedBlobs } from './storage/sealedBlobs.ts';
import type { TokenSource } from './tokens/tokenSource.ts';
import type { UserTokens } from './tokens/userTokens.ts';
import type { UploadClient } from './transfer/uploadClient.ts';
import type { UploadStore } from './uploads/uploadRecord.ts';

/** What the operations work with; service.ts builds it once. */
export interface Dependencies {
  readonly config: Config;
  readonly authenticator: Authenticator;
  readonly policy: Policy;
  /** Loaded when the first request needs it. */
  readonly graphHttp: () => Promise<GraphHttp>;
  /** The app's own tokens for Graph. Only tokensFor and tokensForUpload give them out: a request that acts as a user gets none. */
  readonly appTokens: TokenSource;
  /** Those of users who call; undefined where nobody acts as a user. */
  readonly userTokens: UserTokens | undefined;
  /** The places at each mailbox, for calls to Graph and for chunks alike. */
  readonly concurrencyLimiter: ConcurrencyLimiter;
  readonly uploads: UploadStore;
  readonly idempotency: SealedBlobs;
  readonly uploadClient: UploadClient;
  /** Bounds the files in JSON that are held at once. */
  readonly jsonMemory: JsonMemory;
  /** One request at a time for each upload, in this instance. */
  readonly uploadLocks: ConcurrencyLimiter;
  /** `queue` is undefined if the app runs no jobs. */
  readonly jobs: { readonly store: JobStore; readonly queue: JobQueue | undefined };
  /** Aborts when the app is about to end: runs of jobs hand on then. */
  readonly closing: AbortSignal;
}

/** One request under way, as every operation gets it. */
export interface RequestContext {
  readonly request: IncomingRequest;
  readonly info: RequestInfo;
  readonly deadline: Deadline;
  /** What the log will say; the stages fill it in. */
  readonly logEntry: LogEntry;
}

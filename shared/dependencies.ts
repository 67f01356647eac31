import type { Authenticator } from './access/caller.ts';
import type { Policy } from './access/policy.ts';
import type { Config } from './config/config.ts';
import type { ConcurrencyLimiter } from './graph/concurrencyLimiter.ts';
import type { GraphHttp } from './graph/graphHttp.ts';
import type { JobQueue } from './jobs/jobQueue.ts';
import type { JsonMemory } from './sources/jsonMemory.ts';
import type { SealedBlobs } from './storage/sealedBlobs.ts';
import type { TokenSource } from './tokens/tokenSource.ts';
import type { UserTokens } from './tokens/userTokens.ts';
import type { UploadClient } from './transfer/uploadClient.ts';
import type { UploadStore } from './uploads/uploadStore.ts';

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
  /** Undefined where the app runs no jobs. */
  readonly jobs: JobQueue | undefined;
  /** Aborts when the app is about to end: runs of jobs hand on then. */
  readonly closing: AbortSignal;
}

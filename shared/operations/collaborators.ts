import type { Authenticator } from '../caller/caller.ts';
import type { Policy } from '../caller/policy.ts';
import type { Config } from '../config/config.ts';
import type { Forwarder } from '../graph/forwarder.ts';
import type { MailboxQueue } from '../graph/mailboxQueue.ts';
import type { TokenSource } from '../graph/tokenSource.ts';
import type { UserTokens } from '../graph/userTokens.ts';
import type { JobQueue } from '../job/jobQueue.ts';
import type { JsonMemory } from '../source/jsonMemory.ts';
import type { UploadHost } from '../transfer/uploadHost.ts';
import type { SealedBlobs } from '../upload/sealedBlobs.ts';
import type { UploadStore } from '../upload/uploadStore.ts';

/** What the operations work with; service.ts builds it once. */
export interface Collaborators {
  readonly config: Config;
  readonly authenticator: Authenticator;
  readonly policy: Policy;
  /** Loaded when the first request needs it. */
  readonly forwarder: () => Promise<Forwarder>;
  /** The app's own tokens for Graph. Only tokensFor and tokensForUpload give them out: a request that acts as a user gets none. */
  readonly appTokens: TokenSource;
  /** Those of users who call; undefined where nobody acts as a user. */
  readonly userTokens: UserTokens | undefined;
  /** The places at each mailbox, for calls to Graph and for pieces alike. */
  readonly queue: MailboxQueue;
  readonly uploads: UploadStore;
  readonly idempotency: SealedBlobs;
  readonly uploadHost: UploadHost;
  /** Bounds the files in JSON that are held at once. */
  readonly jsonMemory: JsonMemory;
  /** One request at a time for each upload, in this instance. */
  readonly turns: MailboxQueue;
  /** Undefined where the app runs no jobs. */
  readonly jobs: JobQueue | undefined;
  /** Aborts when the app is about to end: runs of jobs hand on then. */
  readonly closing: AbortSignal;
}

import type { Caller, TokenChecker } from '../common/tokenRegistry.ts';
import type { ErrorPlan } from '../errors/errorPlan.ts';
import type { GraphPath } from './graphPath.ts';
import type { CallIds } from './graphResponse.ts';
import type { MailboxStore } from './mailboxStore.ts';
import type { SessionStore } from './sessionStore.ts';

/** May be changed while the Graph emulator runs. */
export interface GraphSettings {
  /** Milliseconds that each response waits. */
  latencyMs: number;
  /** Milliseconds that the response to a PUT of a chunk waits, in addition to `latencyMs`. */
  uploadLatencyMs: number;
  /** How fast the bytes of one chunk are read, so that the sender must wait; 0: without limit. */
  uploadBytesPerSecond: number;
  maxChunkBytes: number;
  /** Every mailbox and item id exists. */
  anyItem: boolean;
  /** `asGraph`: only user mailboxes' messages and events accept an app-only token. `all`: every family does. */
  appOnlyFamilies: 'asGraph' | 'all';
  /** Smallest declared size in bytes, Outlook families only (2 MiB is observed; the documents say 3 MB). */
  minimumSize: number;
  sessionLifetimeMs: number;
  /** The largest file in a POST to an attachments collection. Above 3 MiB the limit of request bodies rises with it. */
  singlePostLimitBytes: number;
  /** The status for a larger one; both have been reported (microsoftgraph/microsoft-graph-docs#11806, -contrib#682). */
  singlePostRefusal: 413 | 400;
  /** The maximum size of all attachments of one item. */
  maxTotalAttachmentBytes: number;
  /** The part of `@odata.nextLink` before the query, instead of the request's URL. */
  nextLinkBase: string | undefined;
}

/** Shared by the handlers of one Graph emulator. */
export interface GraphWorld {
  readonly settings: GraphSettings;
  readonly mailboxes: MailboxStore;
  readonly sessions: SessionStore;
  readonly errors: ErrorPlan;
  readonly tokens: TokenChecker;
  readonly now: () => number;
  /** `https://localhost:<port>`; known once the server listens. */
  url: string;
}

/** A call with an accepted bearer token and a valid path. */
export interface GraphCall {
  readonly method: string;
  /** With a user's token, `me` has become that user's mailbox. */
  readonly path: GraphPath;
  readonly caller: Caller;
  /** As sent. */
  readonly pathname: string;
  readonly query: URLSearchParams;
  readonly ids: CallIds;
  readonly contentType: string | undefined;
  readonly body: string;
}

export const DEFAULT_SETTINGS: GraphSettings = {
  latencyMs: 0,
  uploadLatencyMs: 0,
  uploadBytesPerSecond: 0,
  // "Up to 4 MB": learn.microsoft.com/graph/api/attachment-createuploadsession.
  maxChunkBytes: 4_194_304,
  anyItem: false,
  appOnlyFamilies: 'asGraph',
  minimumSize: 2_097_152,
  sessionLifetimeMs: 3_600_000,
  // As base64 in JSON, this fills a body of 4 MiB.
  singlePostLimitBytes: 3_145_728,
  singlePostRefusal: 413,
  maxTotalAttachmentBytes: Number.POSITIVE_INFINITY,
  nextLinkBase: undefined,
};

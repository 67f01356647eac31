import type { Caller, TokenChecker } from '../common/tokenRegistry.ts';
import type { ErrorPlan } from '../errors/errorPlan.ts';
import type { ContentStore } from './contentStore.ts';
import type { GraphPath } from './graphPath.ts';
import type { CallIds } from './graphResponse.ts';
import type { MailboxStore } from './mailboxStore.ts';
import type { SessionStore } from './sessionStore.ts';

/** What may be changed while the Graph emulator runs. */
export interface GraphSettings {
  /** Milliseconds that each answer waits. */
  latencyMs: number;
  /** Milliseconds that the answer to each PUT of a piece waits, besides `latencyMs`. */
  uploadLatencyMs: number;
  /** How fast the bytes of one piece are read, so that the sender is held back; 0: as fast as they come. */
  uploadBytesPerSecond: number;
  /** The longest piece that is taken. */
  maxChunkBytes: number;
  /** Every mailbox and item id is found. */
  anyItem: boolean;
  /** `asGraph`: only user mailboxes' messages and events take an app-only token. `all`: every family does. */
  appOnlyFamilies: 'asGraph' | 'all';
  /** Smallest declared size in bytes, Outlook families only (2 MiB is observed; the documents say 3 MB). */
  minimumSize: number;
  sessionLifetimeMs: number;
  /** The longest file that a POST to an attachments collection takes; above 3 MiB the limit of request bodies rises with it. */
  singlePostLimitBytes: number;
  /** How a longer one is refused; both have been reported (microsoftgraph/microsoft-graph-docs#11806, -contrib#682). */
  singlePostRefusal: 413 | 400;
  /** The most that the attachments of one item may have together. */
  attachmentSizeCeilingBytes: number;
  /** What stands before the query in `@odata.nextLink`, in place of the URL that was asked for. */
  nextLinkBase: string | undefined;
}

/** What the handlers of one Graph emulator share. */
export interface GraphWorld {
  readonly settings: GraphSettings;
  readonly mailboxes: MailboxStore;
  readonly sessions: SessionStore;
  readonly contents: ContentStore;
  readonly errors: ErrorPlan;
  readonly tokens: TokenChecker;
  readonly now: () => number;
  /** `https://localhost:<port>`; known once the server listens. */
  url: string;
}

/** A call whose bearer token has been accepted and whose path has been read. */
export interface GraphCall {
  readonly method: string;
  /** With a user's token, `me` has become that user's mailbox. */
  readonly path: GraphPath;
  readonly caller: Caller;
  /** The path as it was sent. */
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
  // With base64 and JSON around it, this is just what a body of 4 MiB holds.
  singlePostLimitBytes: 3_145_728,
  singlePostRefusal: 413,
  attachmentSizeCeilingBytes: Number.POSITIVE_INFINITY,
  nextLinkBase: undefined,
};

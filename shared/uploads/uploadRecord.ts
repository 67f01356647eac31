import { isObject } from '../common/isObject.ts';
import { MAX_RECORD_LIFE_MS } from '../common/limits.ts';
import { ITEM_KINDS, type ItemKind } from '../paths/entityModel.ts';
import type { GraphVersion, ResolvedOwner } from '../paths/target.ts';
import type { SourceRule } from '../sources/sourceRules.ts';

/** All that is kept of an upload through the proxy. */
export interface UploadRecord {
  /** ISO 8601, as is the session's end. */
  readonly createdAt: string;
  readonly target: {
    readonly kind: ItemKind;
    readonly version: GraphVersion;
    readonly owner: ResolvedOwner;
    /** As in Target: encoded, from below the owner to before `attachments`. */
    readonly itemPath: string;
  };
  /** The policy's name of the caller. */
  readonly caller: string;
  /** The user as whom Graph is asked, and the application that brought the user's token; absent: it acts as the app. */
  readonly actsFor?: { readonly userId: string; readonly appId: string };
  readonly attachment: {
    readonly name: string;
    readonly sizeBytes: number;
    readonly contentType?: string;
    readonly isInline?: boolean;
    readonly contentId?: string;
  };
  readonly wantsImmutableIds: boolean;
  /** Graph's own; undefined before it is opened. */
  readonly session: { readonly uploadUrl: string; readonly expirationDateTime: string } | undefined;
  /** How many bytes Graph holds, counted from the beginning. */
  readonly offset: number;
  /** Graph may hold the bytes up to one of these instead: chunks whose answers were lost ended there. Ascending, above `offset`. */
  readonly uncertainOffsets: readonly number[];
  readonly sessionsOpened: number;
  /** What the upload needs to go on without its caller, where it is a job. */
  readonly job?: JobPart;
  readonly state: UploadState;
}

/** Times are ISO 8601. */
export interface JobPart {
  readonly sourceUrl: string;
  /** The policy's rule that admitted the address when the job was asked for. */
  readonly sourceRule: SourceRule;
  /** The file's strong entity tag; absent: the source can be read from its start alone. */
  readonly etag?: string;
  /** The caller's, for the calls to Graph. */
  readonly clientRequestId: string;
  /** The job has failed where it is not over by then. */
  readonly endsAt: string;
  /** Nothing is tried before: Graph or the source asked to wait, or an attempt has failed. */
  readonly notBefore: string;
  /** When a run began or Graph took bytes last, or a poller sent a new message. */
  readonly movedAt: string;
  /** Runs begun since Graph took bytes last. */
  readonly attempts: number;
  /** New messages that pollers have sent since the last run. */
  readonly wakeUps: number;
  /** The most bytes that Graph has held, in whichever session: what pollers are shown never goes back. */
  readonly furthestOffset: number;
  readonly lastReason?: JobReason;
}

/** Why the last run went no further, in words that a caller may read. */
export interface JobReason {
  readonly code: string;
  readonly message: string;
}

/** What ended an upload: every later request gets the same. */
export interface UploadFailure {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

export type UploadState =
  | { readonly status: 'uploading' }
  | { readonly status: 'completed'; readonly attachmentId: string | undefined; readonly location: string }
  | { readonly status: 'failed'; readonly error: UploadFailure }
  | { readonly status: 'cancelled' };

/** The record of an upload that begins now: Graph holds none of its bytes. */
export function createUploadRecord(
  about: Pick<UploadRecord, 'target' | 'caller' | 'actsFor' | 'attachment' | 'wantsImmutableIds' | 'session' | 'job'>,
): UploadRecord {
  const sessionsOpened = about.session === undefined ? 0 : 1;
  const createdAt = new Date().toISOString();
  return { ...about, createdAt, offset: 0, uncertainOffsets: [], sessionsOpened, state: { status: 'uploading' } };
}

/** Undefined where the value is no record, such as one of another version of the app. */
export function parseUploadRecord(value: unknown): UploadRecord | undefined {
  return isUploadRecord(value) ? value : undefined;
}

/** Whether Graph's session has ended under an unfinished upload, or the record is older than a day. A job opens a new session. */
export function isPastEnd({ createdAt, session, state, job }: UploadRecord, now: number): boolean {
  const isBound = state.status === 'uploading' && job === undefined;
  const sessionEnd = isBound && session ? Date.parse(session.expirationDateTime) : Number.NaN;
  // An end that Graph wrote in a way of its own does not count.
  return now >= Date.parse(createdAt) + MAX_RECORD_LIFE_MS || now >= sessionEnd;
}

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
const boolean: Check = (value) => typeof value === 'boolean';
const count: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const date: Check = (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value));
const optional = (check: Check) => (value: unknown) => value === undefined || check(value);
const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    values.some((one) => one === value);
const anyOf =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const object =
  (members: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && Object.entries(members).every(([name, check]) => check(value[name]));

const STATE = anyOf(
  object({ status: oneOf('uploading', 'cancelled') }),
  object({ status: oneOf('completed'), attachmentId: optional(text), location: text }),
  object({ status: oneOf('failed'), error: object({ status: count, code: text, message: text }) }),
);

const JOB = object({
  sourceUrl: text,
  sourceRule: object({
    host: text,
    isHostExact: boolean,
    port: text,
    isPortNamed: boolean,
    path: text,
    place: text,
  }),
  etag: optional(text),
  clientRequestId: text,
  endsAt: date,
  notBefore: date,
  movedAt: date,
  attempts: count,
  wakeUps: count,
  furthestOffset: count,
  lastReason: optional(object({ code: text, message: text })),
});

const RECORD = object({
  createdAt: date,
  target: object({
    kind: oneOf(...ITEM_KINDS),
    version: oneOf('v1.0', 'beta'),
    owner: object({ kind: oneOf('mailbox', 'group', 'me'), id: text }),
    itemPath: text,
  }),
  caller: text,
  actsFor: optional(object({ userId: text, appId: text })),
  attachment: object({
    name: text,
    sizeBytes: count,
    contentType: optional(text),
    isInline: optional(boolean),
    contentId: optional(text),
  }),
  wantsImmutableIds: boolean,
  session: optional(object({ uploadUrl: text, expirationDateTime: text })),
  offset: count,
  uncertainOffsets: listOf(count),
  sessionsOpened: count,
  job: optional(JOB),
  state: STATE,
});

/** RECORD says the same as the type; a test holds them together. */
function isUploadRecord(value: unknown): value is UploadRecord {
  return RECORD(value);
}

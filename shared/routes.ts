/**
 * The one table of what the app can do. Path matching, 405 and `Allow`, the operations of the policy, the names in log and
 * traces, timeouts, the API description and the tables of the documents derive from it. A new operation is one row here and one
 * handler in handlers.ts.
 */

export type Method = 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';

interface Route {
  /**
   * What the path names: an item that takes attachments, a mailbox, a folder or a message directly in a mailbox, or a URL that
   * the proxy has given out.
   */
  readonly on: 'item' | 'mailbox' | 'mailFolder' | 'message' | 'upload' | 'job';
  /** The path below it; `{name}` stands for an id. */
  readonly suffix: string;
  readonly method: Method;
  /** The name in log and traces. */
  readonly operation: string;
  /** The operation that the policy must allow. Absent: the URL is the credential. */
  readonly policy?: string;
  /** The setting that bounds the request. */
  readonly timeout: 'requestTimeoutMs' | 'attachTimeoutMs' | 'uploadTimeoutMs';
  /** When a caller may send the same request again: `always`, or only with the same Idempotency-Key. */
  readonly retry: 'always' | 'withKey';
  readonly summary: string;
}

export const ROUTES = [
  {
    on: 'item',
    suffix: 'attachments/createUploadSession',
    method: 'POST',
    operation: 'createUploadSession',
    policy: 'createUploadSession',
    timeout: 'requestTimeoutMs',
    retry: 'always',
    summary: 'Open an upload session',
  },
  {
    on: 'item',
    suffix: 'attachments',
    method: 'POST',
    operation: 'attach',
    policy: 'attach',
    timeout: 'attachTimeoutMs',
    retry: 'withKey',
    summary: 'Attach a file of any size',
  },
  {
    on: 'mailbox',
    suffix: 'messages',
    method: 'POST',
    operation: 'createDraft',
    policy: 'createDraft',
    timeout: 'attachTimeoutMs',
    retry: 'withKey',
    summary: 'Create a draft with files of any size',
  },
  {
    on: 'mailFolder',
    suffix: 'messages',
    method: 'POST',
    operation: 'createDraft',
    policy: 'createDraft',
    timeout: 'attachTimeoutMs',
    retry: 'withKey',
    summary: 'Create a draft in a folder',
  },
  {
    on: 'mailbox',
    suffix: 'sendMail',
    method: 'POST',
    operation: 'sendMail',
    policy: 'sendMail',
    timeout: 'attachTimeoutMs',
    retry: 'withKey',
    summary: 'Send a mail with files of any size',
  },
  {
    on: 'message',
    suffix: 'send',
    method: 'POST',
    operation: 'sendDraft',
    policy: 'sendMail',
    timeout: 'attachTimeoutMs',
    retry: 'withKey',
    summary: 'Send a draft that this caller created',
  },
  {
    on: 'message',
    suffix: '',
    method: 'GET',
    operation: 'getMessage',
    policy: 'createDraft',
    timeout: 'requestTimeoutMs',
    retry: 'always',
    summary: 'Read the status of a message that this caller created',
  },
  {
    on: 'message',
    suffix: '',
    method: 'DELETE',
    operation: 'deleteDraft',
    policy: 'createDraft',
    timeout: 'requestTimeoutMs',
    retry: 'always',
    summary: 'Delete a draft that this caller created',
  },
  {
    on: 'upload',
    suffix: '',
    method: 'GET',
    operation: 'getUpload',
    timeout: 'uploadTimeoutMs',
    retry: 'always',
    summary: 'Read the status of an upload',
  },
  {
    on: 'upload',
    suffix: '',
    method: 'PUT',
    operation: 'putRange',
    timeout: 'uploadTimeoutMs',
    retry: 'always',
    summary: 'Send a range of the file',
  },
  {
    on: 'upload',
    suffix: '',
    method: 'PATCH',
    operation: 'putRange',
    timeout: 'uploadTimeoutMs',
    retry: 'always',
    summary: 'Send a chunk of the file, as Logic Apps does',
  },
  {
    on: 'upload',
    suffix: '',
    method: 'DELETE',
    operation: 'deleteUpload',
    timeout: 'uploadTimeoutMs',
    retry: 'always',
    summary: 'Cancel an upload',
  },
  {
    on: 'job',
    suffix: '',
    method: 'GET',
    operation: 'getJob',
    timeout: 'uploadTimeoutMs',
    retry: 'always',
    summary: 'Read the status of a job',
  },
  {
    on: 'job',
    suffix: '',
    method: 'DELETE',
    operation: 'deleteJob',
    timeout: 'uploadTimeoutMs',
    retry: 'always',
    summary: 'Cancel a job',
  },
] as const satisfies readonly Route[];

type Row = (typeof ROUTES)[number];
type GraphRow = Extract<Row, { readonly policy: string }>;
type UrlRow = Exclude<Row, GraphRow>;

/** An operation on a path of Graph's: only a caller that the policy allows may use it. */
export type GraphOperation = GraphRow['operation'];

/** An operation on a URL that the proxy has given out. */
export type UrlOperation = UrlRow['operation'];

/** What such a URL stands for. */
export type UrlKind = UrlRow['on'];

/** The path of such a URL below the route prefix; the id follows. */
export const URL_PATHS: Readonly<Record<UrlKind, string>> = { upload: 'uploadSessions', job: 'jobs' };

/** What a policy entry can allow. */
export type PolicyOperation = GraphRow['policy'];

const GRAPH_ROUTES: readonly GraphRow[] = ROUTES.filter((route) => 'policy' in route);

/** What a path of Graph's may name before the suffix. */
export type PathSubject = GraphRow['on'];

/** The suffixes that may follow it, each once. */
export function suffixesOn(on: PathSubject): readonly string[] {
  return [...new Set(GRAPH_ROUTES.filter((route) => route.on === on).map(({ suffix }) => suffix))];
}

export const POLICY_OPERATIONS: readonly PolicyOperation[] = [...new Set(GRAPH_ROUTES.map(({ policy }) => policy))];

export function graphRoutes({
  on,
  suffix,
}: {
  readonly on: PathSubject;
  readonly suffix: string;
}): readonly GraphRow[] {
  return GRAPH_ROUTES.filter((route) => route.on === on && route.suffix === suffix);
}

export function urlRoutes(kind: UrlKind): readonly UrlRow[] {
  return ROUTES.filter((route): route is UrlRow => route.on === kind);
}

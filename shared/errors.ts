/**
 * The closed list of error codes, the one mapping from code to status, and the error that carries them.
 * docs/errors.md is generated from this table.
 */

interface ErrorRule {
  /** HTTP status, or 'upstream' where Graph's own 4xx status is kept. */
  readonly status: number | 'upstream';
  readonly means: string;
  readonly callerCan: string;
}

export const ERRORS = {
  PathNotSupported: {
    status: 404,
    means: 'The path does not support attachments.',
    callerCan: 'Use the path that the message names, or another one of docs/paths.md.',
  },
  MethodNotAllowed: {
    status: 405,
    means: 'The path is known, and does not take this method.',
    callerCan: 'Use a method that the header Allow names.',
  },
  InvalidRequest: {
    status: 400,
    means:
      'The address of the request is no URL, its Idempotency-Key is malformed, it carries an x-ms-invocation-id of its own, or a header came more than once with different values.',
    callerCan:
      'Send a valid Host header, 1 to 255 visible ASCII characters as a key, no x-ms-invocation-id, and each header once.',
  },
  InvalidId: {
    status: 400,
    means: 'An id in the path is empty, a dot segment, or holds a character that could change the path.',
    callerCan: 'Percent-encode the id once and send it as Graph returned it.',
  },
  MailboxNotNamed: {
    status: 400,
    means: '`me` was used, and nothing says which mailbox that is.',
    callerCan: 'Write users/{id or userPrincipalName} in place of me, or ask the operator to set ME_MAILBOX.',
  },
  UnsupportedMediaType: {
    status: 415,
    means:
      'The body has a Content-Encoding, is a form, or is not declared as application/json in UTF-8 where JSON is wanted.',
    callerCan: 'Send Content-Type: application/json, or the bytes of the file as they are.',
  },
  RequestBodyTooLarge: {
    status: 413,
    means:
      'A body that describes a file is over 65,536 bytes, a file in JSON is over MAX_JSON_ATTACHMENT_BYTES, or the declared size is over the largest that can be attached or that one request can carry (FUNCTIONS_REQUEST_BODY_SIZE_LIMIT).',
    callerCan:
      'Send the attachmentItem alone to createUploadSession; send a large file as bytes, in chunks, in ranges or from its sourceUrl; send a link to one that cannot be attached.',
  },
  RequestBodyTimeout: {
    status: 408,
    means: 'The body did not arrive in time.',
    callerCan: 'Send the whole body at once; try again.',
  },
  InvalidJson: {
    status: 400,
    means: 'The body is empty, not UTF-8, or not JSON.',
    callerCan: 'Send one JSON object.',
  },
  InvalidAttachment: {
    status: 400,
    means:
      'The request does not describe an attachment that Graph takes; details lists every fault, with a JSON pointer where it is in the body.',
    callerCan: 'Fix each fault in details.',
  },
  SizeMismatch: {
    status: 400,
    means: 'The body holds more or fewer bytes than were declared.',
    callerCan: 'Declare the exact length of the file.',
  },
  SourceNotAllowed: {
    status: 403,
    means:
      'The policy does not admit the sourceUrl, or its host name leads to an address that must not be connected to.',
    callerCan: 'Use an address that the policy admits, or ask the operator for it.',
  },
  SourceRefused: {
    status: 424,
    means: 'The source answered with a redirect or with a 4xx; the message has the status.',
    callerCan: 'Check that the sourceUrl is whole, that its signature is still valid and that the file exists.',
  },
  SourceUnusable: {
    status: 424,
    means:
      'The source does not say how long the file is, sends another length than it says, or broke off and cannot go on in the middle.',
    callerCan:
      'Use a source that gives Content-Length and answers Range requests, such as Azure Storage, or send the bytes.',
  },
  SourceChanged: {
    status: 424,
    means: 'The file at the source changed while it was read. Nothing is attached.',
    callerCan: 'Try again once the file is at rest.',
  },
  SourceUnavailable: {
    status: 502,
    means: 'The source could not be reached, was too slow or failed (429, 5xx), also after retries.',
    callerCan: 'Try again later.',
  },
  LengthRequired: {
    status: 411,
    means: 'The file is too large to be attached without its length being known before the first byte.',
    callerCan: 'Add ?size=<bytes> to the address, or send Content-Length.',
  },
  ChunkingNotSupported: {
    status: 400,
    means: "A workflow's HTTP action sends in chunks what must come at once.",
    callerCan: "Turn off 'Allow chunking' in the action's settings.",
  },
  IdempotencyKeyReused: {
    status: 422,
    means: 'The Idempotency-Key came with another request before.',
    callerCan: 'Use a new key for each file; repeat a request with its own key.',
  },
  InvalidRange: {
    status: 400,
    means: 'Content-Range is missing or malformed, names another length than the upload has, or does not fit the body.',
    callerCan:
      'Send Content-Range: bytes first-last/total, with total as it was declared, and exactly that many bytes.',
  },
  RangeNotExpected: {
    status: 416,
    means: 'The range begins above the bytes that are held: those before it are missing.',
    callerCan: 'Go on from the range that the message names.',
  },
  UploadNotFound: {
    status: 404,
    means:
      'There is no such upload, or it has ended. The answer is the same for unknown, changed and expired addresses.',
    callerCan: 'Open a new upload session.',
  },
  UploadCancelled: {
    status: 410,
    means: 'The upload was cancelled.',
    callerCan: 'Open a new upload session.',
  },
  UploadCompleted: {
    status: 409,
    means: 'The upload cannot be cancelled any more: the attachment is there.',
    callerCan: 'Remove the attachment where it is not wanted.',
  },
  UploadBusy: {
    status: 409,
    means: 'Other requests for this upload were faster, or too many of them wait.',
    callerCan: 'Ask where the upload is (GET on its address), then go on from there.',
  },
  UploadHostNotAllowed: {
    status: 502,
    means: 'Graph named an address for the bytes that is not on a host of UPLOAD_HOSTS. Nothing was sent there.',
    callerCan: 'Tell the operator the request-id.',
  },
  CallerDisconnected: {
    status: 499,
    means: 'The caller closed the connection before the answer. Seen in the log; no caller receives it.',
    callerCan: 'Wait longer than REQUEST_TIMEOUT_MS.',
  },
  InvalidAuthenticationToken: {
    status: 401,
    means: 'The access token is missing or not accepted.',
    callerCan: "Get a token of the proxy's tenant for the proxy's audience and send it as Authorization: Bearer.",
  },
  CallerNotAllowed: {
    status: 403,
    means: 'The caller is known, and the policy does not admit what was asked.',
    callerCan: 'Ask the operator for a grant; the message names what was asked.',
  },
  InteractionRequired: {
    status: 401,
    means: 'Entra or Graph demands that the user signs in again, for multi-factor authentication as an example.',
    callerCan:
      'Get a new token of the user with the claims in WWW-Authenticate (base64), if it holds some, and try again with that.',
  },
  ConsentRequired: {
    status: 403,
    means: 'Neither the user nor an administrator has consented that the proxy acts for the user at Graph.',
    callerCan: 'Ask an administrator of the tenant to consent to the permissions of the proxy’s application.',
  },
  UserNotAllowed: {
    status: 403,
    means: 'Entra does not let the proxy act for this user: not assigned to the application, disabled or blocked.',
    callerCan: 'Ask an administrator of the tenant.',
  },
  SigningKeysUnavailable: {
    status: 503,
    means: "The tenant's signing keys could not be fetched, so that no token can be verified.",
    callerCan: 'Try again later.',
  },
  ServiceMisconfigured: {
    status: 503,
    means: 'The settings or the policy of the proxy have faults; nothing is admitted until they are fixed.',
    callerCan: 'Tell the operator: each fault stands in the log at start.',
  },
  PlatformNotSupported: {
    status: 503,
    means: 'The Functions platform lacks something that the proxy needs; the log names it.',
    callerCan: 'Tell the operator: the event platformNotSupported in the log names what is missing.',
  },
  RequestNotDelivered: {
    status: 503,
    means: 'The Functions platform delivered the request to the proxy late, or twice.',
    callerCan: 'Wait for Retry-After, then try again, with the same Idempotency-Key if the request has one.',
  },
  StorageNotConfigured: {
    status: 501,
    means: 'What was asked for must be kept for a while, and the proxy has no storage account to keep it in.',
    callerCan: 'Ask the operator to set AzureWebJobsStorage, or send the bytes to an uploadUrl of Graph.',
  },
  StorageUnavailable: {
    status: 503,
    means: 'The storage account that keeps uploads was out of reach, too slow, full, or refused the proxy.',
    callerCan: 'Try again later; an upload goes on where it was.',
  },
  JobsNotConfigured: {
    status: 501,
    means: 'The proxy does not run jobs: it has no queue, no key for its messages, or was deployed without them.',
    callerCan: 'Leave Prefer: respond-async away, or ask the operator for jobs.',
  },
  JobsNeedAppToken: {
    status: 403,
    means: 'A job goes on when its caller is gone, and this caller acts as its user, whose token is not kept.',
    callerCan: 'Leave Prefer: respond-async away.',
  },
  JobFailed: {
    status: 424,
    means:
      'The job is over and the file is not attached: what stood in its way stayed. The message has the last reason.',
    callerCan: 'Act on the reason, then ask again.',
  },
  InstanceBusy: {
    status: 503,
    means: 'Requests with files in JSON hold as much memory as one instance gives them (100 MiB). Nothing is attached.',
    callerCan: 'Send the request again after Retry-After, or send the file as bytes.',
  },
  MailboxBusy: {
    status: 429,
    means: 'Too many requests for this mailbox wait in this instance already.',
    callerCan: 'Wait for Retry-After, then try again.',
  },
  InternalError: {
    status: 500,
    means: 'The proxy failed in a way it did not foresee.',
    callerCan: 'Report the request-id.',
  },
  TokenUnavailable: {
    status: 503,
    means:
      "The proxy could not get a token for Graph, its own or one on behalf of the user. The caller's token is not at fault.",
    callerCan: 'Try again later; tell the operator the request-id.',
  },
  GraphRejectedToken: {
    status: 502,
    means: 'Graph refused the token that the proxy sent, or Outlook the one of its upload session.',
    callerCan: 'Tell the operator the request-id.',
  },
  GraphUnreachable: {
    status: 502,
    means: 'The connection to Graph failed.',
    callerCan: 'Try again later.',
  },
  GraphAnswerInvalid: {
    status: 502,
    means: 'Graph failed (500, 502), redirected, or sent an answer that is no uploadSession and no attachment.',
    callerCan: 'Try again later.',
  },
  GraphRefused: {
    status: 'upstream',
    means: "Graph refused the request without an error body of its own; the status is Graph's.",
    callerCan: 'Act on the status as on Graph’s own.',
  },
  GraphThrottled: {
    status: 429,
    means: 'Graph throttles this mailbox and sent no error body of its own.',
    callerCan: 'Wait for Retry-After, then try again.',
  },
  GraphUnavailable: {
    status: 503,
    means: 'Graph is not available and sent no error body of its own.',
    callerCan: 'Wait for Retry-After, then try again.',
  },
  TimedOut: {
    status: 504,
    means: 'The time for the whole request passed before Graph answered, or Graph answered 504 without a body.',
    callerCan: 'Try again later. A session that was made unseen expires by itself.',
  },
} as const satisfies Record<string, ErrorRule>;

export type ErrorCode = keyof typeof ERRORS;

/** The closed list of codes in `details`: one fault of the request each. */
export const DETAIL_CODES = {
  Required: 'A member that must be there is missing.',
  UnknownMember: 'A member that the type does not have; the message suggests the nearest known name.',
  DuplicateMember: 'The same member twice, in different letter case.',
  WrongType: 'A value of another JSON type than the member has.',
  ValueNotAllowed: 'A value of the right type that the member does not take.',
  SizeTooLarge: 'The size is over the largest that can be attached.',
  Conflict: 'Two parts of the request that exclude or contradict each other.',
} as const satisfies Record<string, string>;

export type DetailCode = keyof typeof DETAIL_CODES;

/**
 * One fault of a request: what is wrong, and where. `target` is a JSON pointer into the body (RFC 6901), or `?name` for a
 * parameter of the query, or a header's name.
 */
export interface ErrorDetail {
  readonly code: DetailCode;
  readonly message: string;
  readonly target: string;
}

export interface ServiceErrorInit {
  readonly target?: string;
  readonly details?: readonly ErrorDetail[];
  /** Headers that belong to the answer, such as Allow or Retry-After. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Graph's status, for the codes that keep it. */
  readonly upstreamStatus?: number;
  /** What happened, for the log alone. */
  readonly cause?: unknown;
}

/** The one error of this service: a code of the closed list and a message that a caller may read. `cause` is for the log. */
export class ServiceError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly target: string | undefined;
  readonly details: readonly ErrorDetail[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, message: string, init: ServiceErrorInit = {}) {
    super(message, { cause: init.cause });
    this.name = 'ServiceError';
    this.code = code;
    this.status = statusOf(code, init.upstreamStatus);
    this.target = init.target;
    this.details = init.details ?? [];
    this.headers = init.headers ?? {};
  }
}

/** Any failure as an error of this service; one that nobody foresaw becomes InternalError, its cause for the log. */
export function asServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  return new ServiceError('InternalError', 'The proxy failed; the log has the reason under this request-id.', {
    cause: error,
  });
}

function statusOf(code: ErrorCode, upstreamStatus: number | undefined): number {
  const { status } = ERRORS[code];
  return status === 'upstream' ? (upstreamStatus ?? 502) : status;
}

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
    callerCan: 'Use the nearest supported path in the message, or another path from docs/api/paths.md.',
  },
  MethodNotAllowed: {
    status: 405,
    means: 'The path does not support this method.',
    callerCan: 'Use a method from the header Allow.',
  },
  InvalidRequest: {
    status: 400,
    means:
      'The URL or the Idempotency-Key is malformed, a header was sent twice with different values, or the caller sent an x-ms-invocation-id.',
    callerCan:
      'Send a valid Host header, a key of 1 to 255 visible ASCII characters, each header once, and no x-ms-invocation-id.',
  },
  InvalidId: {
    status: 400,
    means: 'An id in the path is empty, is a dot segment, or contains a character that could change the path.',
    callerCan: 'Percent-encode the id once and send it as Graph returned it.',
  },
  MailboxNotNamed: {
    status: 400,
    means: 'The path begins with `me`, and no mailbox is configured for `me`.',
    callerCan: 'Use users/{id or userPrincipalName}, or ask the operator to set ME_MAILBOX.',
  },
  UnsupportedMediaType: {
    status: 415,
    means:
      'The body has a Content-Encoding or is a form, or JSON is required and the body is not declared as application/json in UTF-8.',
    callerCan: 'Send Content-Type: application/json for JSON, and the bytes of a file without Content-Encoding.',
  },
  RequestBodyTooLarge: {
    status: 413,
    means:
      'JSON without a file is over 65,536 bytes, or a file in JSON is over MAX_JSON_ATTACHMENT_BYTES. Or the declared size is over the limit for attachments or for one request (FUNCTIONS_REQUEST_BODY_SIZE_LIMIT).',
    callerCan:
      'Send a large file as bytes, in ranges, in chunks or by its sourceUrl. If the file is over the limit for attachments, send a link to it.',
  },
  RequestBodyTimeout: {
    status: 408,
    means: 'The body was not received in time.',
    callerCan: 'Send the request again. For an upload, first read the expected range with GET.',
  },
  InvalidJson: {
    status: 400,
    means: 'The body is empty, not UTF-8, or not JSON.',
    callerCan: 'Send one JSON object.',
  },
  InvalidAttachment: {
    status: 400,
    means: 'The request does not describe an attachment that Graph accepts; details lists every error.',
    callerCan: 'Correct each error in details.',
  },
  InvalidMessage: {
    status: 400,
    means:
      'The request does not describe a message that the proxy can check and Graph accepts; details lists every error.',
    callerCan: 'Correct each error in details.',
  },
  SizeMismatch: {
    status: 400,
    means: 'The body has more or fewer bytes than declared.',
    callerCan: 'Declare the exact size of the file.',
  },
  SourceNotAllowed: {
    status: 403,
    means: 'The policy does not allow the sourceUrl, or its host resolves to an IP address that is blocked.',
    callerCan: 'Use a sourceUrl that the policy allows, or ask the operator to allow it.',
  },
  SourceRefused: {
    status: 424,
    means: 'The source responded with a redirect or a 4xx status, which the message contains.',
    callerCan: 'Check that the sourceUrl is complete, that its signature has not expired, and that the file exists.',
  },
  SourceUnusable: {
    status: 424,
    means:
      'The source does not send the size of the file, sends a different number of bytes, or does not support resuming after a broken connection.',
    callerCan: 'Use a source that sends Content-Length and supports Range, such as Azure Storage, or send the bytes.',
  },
  SourceChanged: {
    status: 424,
    means: 'The file at the source changed during the transfer. Nothing is attached.',
    callerCan: 'Send the request again when the file no longer changes.',
  },
  SourceUnavailable: {
    status: 502,
    means: 'The source could not be reached, timed out, or failed with 429 or 5xx after all retries.',
    callerCan: 'Send the request again later.',
  },
  LengthRequired: {
    status: 411,
    means: 'The request does not declare the size of a file that is too large to attach without it.',
    callerCan: 'Add ?size=<bytes> to the URL, or send Content-Length.',
  },
  ChunkingNotSupported: {
    status: 400,
    means: 'An HTTP action of Logic Apps sent in chunks a request that must be sent whole.',
    callerCan: "Turn off 'Allow chunking' in the settings of the action.",
  },
  IdempotencyKeyReused: {
    status: 422,
    means: 'The Idempotency-Key was used for a different request.',
    callerCan: 'Use a new key for each file, and the same key for each retry.',
  },
  InvalidRange: {
    status: 400,
    means:
      'Content-Range is missing or malformed, does not match the size of the file or of the body, or is over 8 MiB.',
    callerCan: 'Send Content-Range: bytes first-last/total with the declared total, and a body of the same size.',
  },
  RangeNotExpected: {
    status: 416,
    means: 'The range starts after the first missing byte.',
    callerCan: 'Send the range that the message contains.',
  },
  UploadNotFound: {
    status: 404,
    means: 'The upload does not exist or has expired. Unknown, changed and expired URLs return the same response.',
    callerCan: 'Open a new upload session.',
  },
  UploadCancelled: {
    status: 410,
    means: 'The upload was cancelled.',
    callerCan: 'Open a new upload session.',
  },
  UploadCompleted: {
    status: 409,
    means: 'The upload cannot be cancelled because the file is attached.',
    callerCan: 'Delete the attachment if it is not wanted.',
  },
  UploadBusy: {
    status: 409,
    means: 'Another request has advanced this upload or is attaching the file, or more than 16 requests are waiting.',
    callerCan: 'Read the status of the upload with GET, then continue from the expected range.',
  },
  UploadHostNotAllowed: {
    status: 502,
    means: 'Graph returned an uploadUrl on a host that is not in UPLOAD_HOSTS. No bytes were sent to it.',
    callerCan: 'Report the request-id to the operator.',
  },
  CallerDisconnected: {
    status: 499,
    means: 'The caller closed the connection before the response. This code appears only in the log.',
    callerCan: 'Use a client timeout that is longer than the timeout of the operation.',
  },
  InvalidAuthenticationToken: {
    status: 401,
    means: 'The access token is missing or invalid.',
    callerCan: "Get a token from the proxy's tenant for the proxy's audience and send it as Authorization: Bearer.",
  },
  CallerNotAllowed: {
    status: 403,
    means: 'The caller is known, but the policy does not allow this request.',
    callerCan: 'Ask the operator to allow what the message names.',
  },
  InteractionRequired: {
    status: 401,
    means: 'Entra or Graph requires the user to sign in again, for example for multi-factor authentication.',
    callerCan:
      'Get a new token for the user, with the claims from WWW-Authenticate (base64) if present, and send the request again.',
  },
  ConsentRequired: {
    status: 403,
    means: 'Neither the user nor an administrator has consented to the proxy acting for the user at Graph.',
    callerCan: "Ask an administrator of the tenant to consent to the permissions of the proxy's application.",
  },
  UserNotAllowed: {
    status: 403,
    means:
      'Entra does not let the proxy act for this user: the user is not assigned to the application, disabled or blocked.',
    callerCan: 'Ask an administrator of the tenant.',
  },
  SigningKeysUnavailable: {
    status: 503,
    means: 'The proxy cannot verify tokens because it could not load the signing keys of the tenant.',
    callerCan: 'Send the request again later.',
  },
  ServiceMisconfigured: {
    status: 503,
    means: 'The settings or the policy of the proxy are invalid. All requests fail until the operator corrects them.',
    callerCan: 'Report it to the operator. The log lists each error at startup.',
  },
  PlatformNotSupported: {
    status: 503,
    means: 'The Functions platform lacks a feature that the proxy needs.',
    callerCan: 'Report it to the operator. The log event platformNotSupported names the feature.',
  },
  RequestNotDelivered: {
    status: 503,
    means: 'The Functions platform delivered the request late or twice.',
    callerCan: 'Send the request again after Retry-After, with the same Idempotency-Key if it has one.',
  },
  StorageNotConfigured: {
    status: 501,
    means: 'The request needs storage, and the proxy has no storage account.',
    callerCan: 'Ask the operator to set AzureWebJobsStorage, or use an uploadUrl from Graph.',
  },
  StorageUnavailable: {
    status: 503,
    means: 'The storage account of the proxy is unavailable, full, timed out, or denied access.',
    callerCan: 'Send the request again later. An upload continues from its last confirmed byte.',
  },
  JobsNotConfigured: {
    status: 501,
    means: 'Jobs are disabled: the proxy has no queue, no key for messages, or was deployed without jobs.',
    callerCan: 'Send the request without Prefer: respond-async, or ask the operator to enable jobs.',
  },
  JobsNeedAppToken: {
    status: 403,
    means: 'The caller acts as its user, and the proxy does not store tokens of users for jobs.',
    callerCan: 'Send the request without Prefer: respond-async.',
  },
  JobFailed: {
    status: 424,
    means:
      'The job has failed after all retries or its timeout, and the file is not attached. The message contains the last reason.',
    callerCan: 'Correct the reason, then create a new job.',
  },
  MessageNotYours: {
    status: 403,
    means:
      'The message was not created by this caller through the proxy. The response is the same for every such message.',
    callerCan: 'Send or delete only drafts that the same caller created through the proxy.',
  },
  MessageNotDraft: {
    status: 409,
    means: 'The message is not a draft any more: it was sent.',
    callerCan: 'Read the status of the message with GET.',
  },
  SendOutcomeUnknown: {
    status: 409,
    means: 'Graph did not say whether it has sent the mail. The proxy does not send it again.',
    callerCan:
      'Look at Sent Items of the mailbox. With an Idempotency-Key, send the same request later: it returns the outcome once it is known.',
  },
  InstanceBusy: {
    status: 503,
    means: 'Files in JSON fill the memory that one instance reserves for them (100 MiB). Nothing is attached.',
    callerCan: 'Send the request again after Retry-After, or send the file as bytes.',
  },
  MailboxBusy: {
    status: 429,
    means: 'Too many requests for this mailbox are waiting in this instance.',
    callerCan: 'Send the request again after Retry-After.',
  },
  InternalError: {
    status: 500,
    means: 'The proxy failed with an unexpected error.',
    callerCan: 'Report the request-id to the operator.',
  },
  TokenUnavailable: {
    status: 503,
    means:
      'The proxy could not get a token for Graph, for itself or for the user. The token of the caller is not the cause.',
    callerCan: 'Send the request again later, and report the request-id to the operator.',
  },
  GraphRejectedToken: {
    status: 502,
    means: 'Graph rejected the token of the proxy, or Outlook rejected the token of its upload session.',
    callerCan: 'Open a new session. If the error persists, report the request-id to the operator.',
  },
  GraphUnreachable: {
    status: 502,
    means: 'The connection to Graph failed.',
    callerCan: 'Send the request again later.',
  },
  GraphAnswerInvalid: {
    status: 502,
    means:
      'Graph failed with 500 or 502, sent a redirect, or sent a response that is not an uploadSession or an attachment.',
    callerCan: 'Send the request again later.',
  },
  GraphRefused: {
    status: 'upstream',
    means: "Graph rejected the request without an error body. The status is Graph's.",
    callerCan: 'Handle the status as in a response from Graph.',
  },
  GraphThrottled: {
    status: 429,
    means: 'Graph throttles this mailbox and sent no error body.',
    callerCan:
      'Send the request again after Retry-After, or attach a file from a sourceUrl with Prefer: respond-async.',
  },
  GraphUnavailable: {
    status: 503,
    means: 'Graph is unavailable and sent no error body.',
    callerCan: 'Send the request again after Retry-After.',
  },
  TimedOut: {
    status: 504,
    means: 'The timeout of the request passed before Graph responded, or Graph returned 504 without a body.',
    callerCan:
      'Send the request again later, with the same Idempotency-Key if it has one. Unused sessions at Graph expire.',
  },
} as const satisfies Record<string, ErrorRule>;

export type ErrorCode = keyof typeof ERRORS;

/** The closed list of codes in `details`: one fault of the request each. */
export const DETAIL_CODES = {
  Required: 'A required member is missing.',
  UnknownMember: 'The type does not have this member. The message suggests the nearest known name.',
  DuplicateMember: 'The member occurs twice, with different letter case.',
  WrongType: 'The value has the wrong JSON type.',
  ValueNotAllowed: 'The value has the right type but is not allowed.',
  SizeTooLarge: 'The size is over the limit for attachments.',
  Conflict: 'Two parts of the request exclude or contradict each other.',
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

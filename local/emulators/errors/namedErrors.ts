/** The closed list of errors that the Graph emulator can play: name → effect. How to play one: local/README.md. */

/** How the response differs from Graph's. */
export type ErrorBehaviour =
  /** An error in the shape of the service that was called: Graph or the upload host. */
  | {
      readonly kind: 'error';
      readonly status: number;
      readonly code: string;
      readonly message: string;
      readonly retryAfter?: string | undefined;
      /** The call still takes effect. */
      readonly afterCommit?: true;
      readonly withoutInnerError?: true;
    }
  /** A complete other response. `fromGraph` is false if a gateway sends it: then Graph's own headers are absent. */
  | {
      readonly kind: 'replace';
      readonly status: number;
      readonly contentType?: string;
      readonly body: string;
      readonly fromGraph: boolean;
    }
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'hang'; readonly at: 'beforeHeaders' | 'inBody' | 'afterCommit' }
  | {
      readonly kind: 'reset';
      readonly at: 'beforeHeaders' | 'afterHeaders' | 'handshake' | 'afterCommit' | 'inRequestBody';
    }
  /** The message is sent; what the caller sees afterwards differs. */
  | { readonly kind: 'send'; readonly effect: SendEffect }
  /** The upload session itself changes permanently. */
  | { readonly kind: 'session'; readonly becomes: 'gone' | 'expired' | 'notFound' }
  | { readonly kind: 'truncated' }
  | { readonly kind: 'slowDrip' }
  | { readonly kind: 'hugeBody' }
  /** Graph's response with one header changed; each character is sent as one byte. */
  | { readonly kind: 'header'; readonly name: string; readonly value: string }
  /** Graph's response in another of the shapes that clients have met. */
  | { readonly kind: 'reshape'; readonly as: 'pascalCase' | 'value' };

/** `newId`: the immutable id does not survive. `retryAfter`: the 202 has the header. */
export type SendEffect = 'draftLag' | 'sentItemsLag' | 'newId' | 'retryAfter';

type StatusBehaviour = Extract<ErrorBehaviour, { kind: 'error' }>;

/** The PUTs of a session: by the position of the range in the file, or by number from 0, rejected ones included. */
export type ChunkChoice = 'first' | 'middle' | 'last' | number;

export interface NamedError<Behaviour extends ErrorBehaviour = ErrorBehaviour> {
  readonly description: string;
  readonly behaviour: Behaviour;
  /** The PUTs on which an upload error is played by default. */
  readonly chunk?: ChunkChoice;
}

function named(description: string, behaviour: ErrorBehaviour): NamedError {
  return { description, behaviour };
}

function status(status: number, code: string, message: string, retryAfter?: string): NamedError<StatusBehaviour> {
  return {
    description: `${status} ${code}${retryAfter === undefined ? '' : `, Retry-After: ${retryAfter}`}`,
    behaviour: { kind: 'error', status, code, message, retryAfter },
  };
}

function html(status: number, title: string): NamedError {
  return named(`${status} with a gateway's HTML page`, {
    kind: 'replace',
    status,
    contentType: 'text/html; charset=utf-8',
    body: `<!DOCTYPE html><html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`,
    fromGraph: false,
  });
}

function created(description: string, body: string): NamedError {
  return named(description, { kind: 'replace', status: 201, body, fromGraph: true });
}

function afterCommit({ behaviour }: NamedError<StatusBehaviour>): NamedError {
  const description = `${behaviour.status} ${behaviour.code}, after the call took effect`;
  return named(description, { ...behaviour, afterCommit: true });
}

/** Seen in microsoftgraph/microsoft-graph-docs-contrib#2561; the status is not certain. */
function messageSize(status: number): NamedError {
  return named(`${status} ErrorMessageSizeExceeded without innerError`, {
    kind: 'error',
    status,
    code: 'ErrorMessageSizeExceeded',
    message: 'The message exceeds the maximum supported size.',
    withoutInnerError: true,
  });
}

/** The errors of any call. */
export const GRAPH_ERRORS = {
  status401: status(401, 'InvalidAuthenticationToken', 'Access token has expired or is not yet valid.'),
  status403: status(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.'),
  status404: status(404, 'ErrorItemNotFound', 'The specified object was not found in the store.'),
  status409: status(409, 'Conflict', 'The request conflicts with another one.'),
  status412: status(
    412,
    'ErrorIrresolvableConflict',
    'The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.',
  ),
  status423: status(423, 'ResourceLocked', 'The resource is locked.'),
  status429: status(429, 'ApplicationThrottled', "Application is over its 'MailboxConcurrency' limit.", '2'),
  status500: status(500, 'InternalServerError', 'An internal server error occurred.'),
  status502: status(502, 'BadGateway', 'Failed to reach the target service.'),
  status503: status(503, 'serviceNotAvailable', 'The service is temporarily unavailable.'),
  status504: status(504, 'UnknownError', 'The gateway timed out.'),
  html: html(200, 'Sign in'),
  html413: html(413, 'Request Entity Too Large'),
  html429: html(429, 'Too Many Requests'),
  html502: html(502, 'Bad Gateway'),
  html503: html(503, 'Service Unavailable'),
  redirect: named('302 to another host', { kind: 'redirect', location: 'https://elsewhere.invalid/' }),
  empty: created('201 without a body', ''),
  notJson: created('201 with invalid JSON', '{"uploadUrl":'),
  noUploadUrl: created('201 with an empty JSON object', '{}'),
  hangBeforeHeaders: named('reads the request and never responds', { kind: 'hang', at: 'beforeHeaders' }),
  hangInBody: named('sends the headers and half of the body, then nothing', { kind: 'hang', at: 'inBody' }),
  resetBeforeHeaders: named('reads the request, then resets the connection', { kind: 'reset', at: 'beforeHeaders' }),
  resetAfterHeaders: named('sends the headers and half of the body, then resets the connection', {
    kind: 'reset',
    at: 'afterHeaders',
  }),
  tlsReset: named('resets the connection during the TLS handshake (only with `play`)', {
    kind: 'reset',
    at: 'handshake',
  }),
  truncated: named('declares the full Content-Length, sends half, closes', { kind: 'truncated' }),
  slowDrip: named('the normal response, one byte each `ms` milliseconds (default 50)', { kind: 'slowDrip' }),
  hugeBody: named('201 with 20 MiB of JSON before the uploadUrl', { kind: 'hugeBody' }),
  upperCaseKeys: named('the normal response with member names in PascalCase, as the China cloud has sent them', {
    kind: 'reshape',
    as: 'pascalCase',
  }),
  valueForm: named('the normal response wrapped in a member `value`, the older form', { kind: 'reshape', as: 'value' }),
  latin1Header: named('the normal response with an `ä`, in Latin-1, in `x-ms-ags-diagnostic`', {
    kind: 'header',
    name: 'x-ms-ags-diagnostic',
    value: '{"DataCenter":"Nordländer"}',
  }),
  utf8Header: named('the normal response with a `€`, in UTF-8, in `x-ms-ags-diagnostic`', {
    kind: 'header',
    name: 'x-ms-ags-diagnostic',
    value: Buffer.from('{"Cost":"€"}').toString('latin1'),
  }),
} as const satisfies Record<string, NamedError>;

/** Further errors, of an upload under way. */
export const UPLOAD_ERRORS = {
  resetAfterCommit: named('the call takes effect, then the connection is reset', {
    kind: 'reset',
    at: 'afterCommit',
  }),
  hangAfterCommit: named('the call takes effect, without a response', {
    kind: 'hang',
    at: 'afterCommit',
  }),
  status429AfterCommit: afterCommit(GRAPH_ERRORS.status429),
  status500AfterCommit: afterCommit(GRAPH_ERRORS.status500),
  status503AfterCommit: afterCommit(GRAPH_ERRORS.status503),
  status504AfterCommit: afterCommit(GRAPH_ERRORS.status504),
  status409AfterCommit: afterCommit(GRAPH_ERRORS.status409),
  status404AfterCommit: afterCommit(GRAPH_ERRORS.status404),
  status413MessageSize: messageSize(413),
  status400MessageSize: messageSize(400),
  resetMidBody: named('resets the connection when half of the chunk has arrived', {
    kind: 'reset',
    at: 'inRequestBody',
  }),
  sessionGone: named('the session is gone: 404 ErrorItemNotFound from now on', { kind: 'session', becomes: 'gone' }),
  expired: named('the session has expired: from now on 401 InvalidAuthenticationToken at Outlook, 404 at To Do', {
    kind: 'session',
    becomes: 'expired',
  }),
  notFoundAtFirst: {
    ...named('the first PUT of a session and all later ones find no item: 404 ErrorItemNotFound', {
      kind: 'session',
      becomes: 'notFound',
    }),
    chunk: 0,
  },
} as const satisfies Record<string, NamedError>;

/** Effects on a message that is sent. */
export const SEND_ERRORS = {
  draftLag: named('202; `isDraft` stays true for `reads` reads (default 3), or for `ms` milliseconds', {
    kind: 'send',
    effect: 'draftLag',
  }),
  sentItemsLag: named('202; `reads` lists (default 3) do not show the sent message, or none for `ms` milliseconds', {
    kind: 'send',
    effect: 'sentItemsLag',
  }),
  newId: named('202; the immutable id of the draft is unknown afterwards', { kind: 'send', effect: 'newId' }),
  retryAfter: named('202 with Retry-After (default 1)', { kind: 'send', effect: 'retryAfter' }),
} as const satisfies Record<string, NamedError>;

export type GraphErrorName = keyof typeof GRAPH_ERRORS;
export type UploadErrorName = keyof typeof UPLOAD_ERRORS;
export type SendErrorName = keyof typeof SEND_ERRORS;
export type ErrorName = GraphErrorName | UploadErrorName | SendErrorName;

const NAMED_ERRORS: Readonly<Record<ErrorName, NamedError>> = { ...GRAPH_ERRORS, ...UPLOAD_ERRORS, ...SEND_ERRORS };
export const ERROR_NAMES = Object.keys(NAMED_ERRORS);

export function isUploadErrorName(name: string): name is UploadErrorName {
  return Object.hasOwn(UPLOAD_ERRORS, name);
}

export function isErrorName(name: string): name is ErrorName {
  return Object.hasOwn(NAMED_ERRORS, name);
}

export function namedError(name: ErrorName): NamedError {
  return NAMED_ERRORS[name];
}

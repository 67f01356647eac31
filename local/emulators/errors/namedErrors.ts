/**
 * The closed list of faults that the Graph emulator can play on any call: name → what it does. Those that need an upload
 * under way are in uploadFaults.ts. How to ask for one: local/README.md.
 */

/** How the answer differs from the one that Graph would have given. */
export type ErrorBehaviour =
  /** An error in the shape of whoever was called: Graph or the upload host. */
  | {
      readonly kind: 'error';
      readonly status: number;
      readonly code: string;
      readonly message: string;
      readonly retryAfter?: string;
      /** The call takes effect all the same. */
      readonly afterCommit?: true;
      readonly withoutInnerError?: true;
    }
  /** A whole answer in place of Graph's. `fromGraph` is false where a gateway speaks: Graph's own headers are absent. */
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
  /** The upload session itself changes, for good. */
  | { readonly kind: 'session'; readonly becomes: 'gone' | 'expired' | 'notFound' }
  | { readonly kind: 'truncated' }
  | { readonly kind: 'slowDrip' }
  | { readonly kind: 'hugeBody' }
  /** Graph's answer with one header changed; each character is sent as one byte. */
  | { readonly kind: 'header'; readonly name: string; readonly value: string }
  /** Graph's answer in another of the shapes that clients have met. */
  | { readonly kind: 'reshape'; readonly as: 'pascalCase' | 'value' };

export interface NamedError {
  readonly description: string;
  readonly behaviour: ErrorBehaviour;
}

function error(status: number, code: string, message: string, retryAfter?: string): NamedError {
  const base = { kind: 'error', status, code, message } as const;
  return {
    description: `${status} ${code} in Graph's shape${retryAfter === undefined ? '' : `, Retry-After: ${retryAfter}`}`,
    behaviour: retryAfter === undefined ? base : { ...base, retryAfter },
  };
}

function html(status: number, title: string): NamedError {
  return {
    description: `${status} with an HTML page of a gateway`,
    behaviour: {
      kind: 'replace',
      status,
      contentType: 'text/html; charset=utf-8',
      body: `<!DOCTYPE html><html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`,
      fromGraph: false,
    },
  };
}

function created(description: string, body: string): NamedError {
  return { description, behaviour: { kind: 'replace', status: 201, body, fromGraph: true } };
}

export const GRAPH_ERRORS = {
  status401: error(401, 'InvalidAuthenticationToken', 'Access token has expired or is not yet valid.'),
  status403: error(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.'),
  status404: error(404, 'ErrorItemNotFound', 'The specified object was not found in the store.'),
  status409: error(409, 'Conflict', 'The request conflicts with another one.'),
  status412: error(
    412,
    'ErrorIrresolvableConflict',
    'The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.',
  ),
  status423: error(423, 'ResourceLocked', 'The resource is locked.'),
  status429: error(429, 'ApplicationThrottled', "Application is over its 'MailboxConcurrency' limit.", '2'),
  status500: error(500, 'InternalServerError', 'An internal server error occurred.'),
  status502: error(502, 'BadGateway', 'Failed to reach the target service.'),
  status503: error(503, 'serviceNotAvailable', 'The service is temporarily unavailable.'),
  status504: error(504, 'UnknownError', 'The gateway timed out.'),
  html: html(200, 'Sign in'),
  html413: html(413, 'Request Entity Too Large'),
  html429: html(429, 'Too Many Requests'),
  html502: html(502, 'Bad Gateway'),
  html503: html(503, 'Service Unavailable'),
  redirect: {
    description: '302 to another host',
    behaviour: { kind: 'redirect', location: 'https://elsewhere.invalid/' },
  },
  empty: created('201 without a body', ''),
  notJson: created('201 with invalid JSON', '{"uploadUrl":'),
  noUploadUrl: created('201 with an empty JSON object', '{}'),
  hangBeforeHeaders: {
    description: 'takes the request and never answers',
    behaviour: { kind: 'hang', at: 'beforeHeaders' },
  },
  hangInBody: {
    description: 'sends the headers and half of the body, then nothing',
    behaviour: { kind: 'hang', at: 'inBody' },
  },
  resetBeforeHeaders: {
    description: 'takes the request, then resets the connection',
    behaviour: { kind: 'reset', at: 'beforeHeaders' },
  },
  resetAfterHeaders: {
    description: 'sends the headers and half of the body, then resets the connection',
    behaviour: { kind: 'reset', at: 'afterHeaders' },
  },
  tlsReset: {
    description: 'resets the connection during the TLS handshake (only with `play`)',
    behaviour: { kind: 'reset', at: 'handshake' },
  },
  truncated: {
    description: 'declares the whole Content-Length, sends half, closes',
    behaviour: { kind: 'truncated' },
  },
  slowDrip: {
    description: 'the right answer, one byte each `ms` milliseconds (default 50)',
    behaviour: { kind: 'slowDrip' },
  },
  hugeBody: {
    description: '201 with 20 MiB of JSON before the uploadUrl',
    behaviour: { kind: 'hugeBody' },
  },
  upperCaseKeys: {
    description: 'the right answer with member names in PascalCase, as the China cloud has sent them',
    behaviour: { kind: 'reshape', as: 'pascalCase' },
  },
  valueForm: {
    description: 'the right answer wrapped in a member `value`, the older form',
    behaviour: { kind: 'reshape', as: 'value' },
  },
  latin1Header: {
    description: 'the right answer with an `ä`, in Latin-1, in `x-ms-ags-diagnostic`',
    behaviour: { kind: 'header', name: 'x-ms-ags-diagnostic', value: '{"DataCenter":"Nordländer"}' },
  },
  utf8Header: {
    description: 'the right answer with a `€`, in UTF-8, in `x-ms-ags-diagnostic`',
    behaviour: { kind: 'header', name: 'x-ms-ags-diagnostic', value: Buffer.from('{"Cost":"€"}').toString('latin1') },
  },
} as const satisfies Record<string, NamedError>;

export type GraphErrorName = keyof typeof GRAPH_ERRORS;

export function isGraphErrorName(name: string): name is GraphErrorName {
  return Object.hasOwn(GRAPH_ERRORS, name);
}

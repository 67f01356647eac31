/** The closed list of faults that the identity emulator can play. */

export interface IdentityReply {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type IdentityErrorBehaviour =
  | ({ readonly kind: 'reply' } & IdentityReply)
  | { readonly kind: 'delay' }
  | { readonly kind: 'hang' };

export interface IdentityError {
  readonly description: string;
  readonly behaviour: IdentityErrorBehaviour;
}

/** The endpoint's own error form. */
export function refusal(status: number, code: string, message: string): IdentityReply {
  return { status, body: JSON.stringify({ statusCode: status, code, message }) };
}

export const IDENTITY_ERRORS = {
  absent: {
    description: '400: the app has no such identity',
    behaviour: {
      kind: 'reply',
      ...refusal(400, 'BadRequest', 'No managed identity found for the specified parameters.'),
    },
  },
  wrongHeader: {
    description: '401: the endpoint no longer takes the secret that the app sends',
    behaviour: { kind: 'reply', ...refusal(401, 'Unauthorized', 'X-IDENTITY-HEADER is missing or wrong.') },
  },
  refused: {
    description: '403: the identity may not have a token',
    behaviour: { kind: 'reply', ...refusal(403, 'Forbidden', 'Access is denied.') },
  },
  notFound: {
    description: '404: the endpoint is not there (yet)',
    behaviour: { kind: 'reply', ...refusal(404, 'NotFound', 'Not found.') },
  },
  throttled: {
    description: '429 with Retry-After: 1',
    behaviour: {
      kind: 'reply',
      ...refusal(429, 'TooManyRequests', 'Too many requests.'),
      headers: { 'Retry-After': '1' },
    },
  },
  failing: {
    description: '500',
    behaviour: { kind: 'reply', ...refusal(500, 'InternalServerError', 'An internal error occurred.') },
  },
  garbage: {
    description: '200 that is not JSON',
    behaviour: { kind: 'reply', status: 200, body: '<html>' },
  },
  noToken: {
    description: '200 with JSON without access_token',
    behaviour: { kind: 'reply', status: 200, body: '{}' },
  },
  slow: {
    description: 'the right answer after `ms` milliseconds (default 2000)',
    behaviour: { kind: 'delay' },
  },
  hanging: {
    description: 'never answers',
    behaviour: { kind: 'hang' },
  },
} as const satisfies Record<string, IdentityError>;

export type IdentityErrorName = keyof typeof IDENTITY_ERRORS;

export function isIdentityErrorName(name: string): name is IdentityErrorName {
  return Object.hasOwn(IDENTITY_ERRORS, name);
}

export interface PlayOptions {
  /** How many requests; without it all, until `none` is played. */
  readonly times?: number;
  readonly ms?: number;
}

const DEFAULT_DELAY_MS = 2000;

/** Holds the fault that is being played. */
export function createIdentityErrors() {
  let current: { behaviour: IdentityErrorBehaviour; left: number; ms: number } | undefined;
  return {
    play(
      name: IdentityErrorName | 'none',
      { times = Number.POSITIVE_INFINITY, ms = DEFAULT_DELAY_MS }: PlayOptions = {},
    ): void {
      current = name === 'none' ? undefined : { behaviour: IDENTITY_ERRORS[name].behaviour, left: times, ms };
    },
    take(): { behaviour: IdentityErrorBehaviour; ms: number } | undefined {
      if (current === undefined || current.left <= 0) return undefined;
      current.left -= 1;
      return current;
    },
  };
}

/** The closed list of errors that the identity emulator can play. */

export interface IdentityResponse {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface IdentityError {
  readonly description: string;
  readonly behaviour:
    | ({ readonly kind: 'response' } & IdentityResponse)
    | { readonly kind: 'delay' }
    | { readonly kind: 'hang' };
}

/** The endpoint's own error format. */
export function errorResponse(status: number, code: string, message: string): IdentityResponse {
  return { status, body: JSON.stringify({ statusCode: status, code, message }) };
}

function responding(description: string, response: IdentityResponse): IdentityError {
  return { description, behaviour: { kind: 'response', ...response } };
}

export const NO_IDENTITY = errorResponse(400, 'BadRequest', 'No managed identity found for the specified parameters.');
export const WRONG_HEADER = errorResponse(401, 'Unauthorized', 'X-IDENTITY-HEADER is missing or wrong.');

export const IDENTITY_ERRORS = {
  absent: responding('400: the app has no such identity', NO_IDENTITY),
  wrongHeader: responding('401: the endpoint rejects the secret that the app sends', WRONG_HEADER),
  refused: responding('403: the identity may not have a token', errorResponse(403, 'Forbidden', 'Access is denied.')),
  notFound: responding('404: the endpoint does not exist (yet)', errorResponse(404, 'NotFound', 'Not found.')),
  throttled: responding('429 with Retry-After: 1', {
    ...errorResponse(429, 'TooManyRequests', 'Too many requests.'),
    headers: { 'Retry-After': '1' },
  }),
  failing: responding('500', errorResponse(500, 'InternalServerError', 'An internal error occurred.')),
  garbage: responding('200 with invalid JSON', { status: 200, body: '<html>' }),
  noToken: responding('200 with JSON without access_token', { status: 200, body: '{}' }),
  slow: {
    description: 'the normal response after `ms` milliseconds (default 2000)',
    behaviour: { kind: 'delay' },
  },
  hanging: { description: 'never responds', behaviour: { kind: 'hang' } },
} as const satisfies Record<string, IdentityError>;

export type IdentityErrorName = keyof typeof IDENTITY_ERRORS;

export function isIdentityErrorName(name: string): name is IdentityErrorName {
  return Object.hasOwn(IDENTITY_ERRORS, name);
}

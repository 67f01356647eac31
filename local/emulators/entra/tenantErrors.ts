/** The closed list of refusals that the tenant's token endpoint knows; it gives them by itself, or when they are played. */

/** learn.microsoft.com/entra/identity-platform/reference-error-codes */
export interface TokenError {
  readonly status: number;
  /** RFC 6749, section 5.2, and Entra's own. */
  readonly error: string;
  /** The number behind AADSTS. */
  readonly code: number;
  readonly says: string;
  readonly suberror?: string;
  /** A claims challenge, as JSON: what a new token of the user must have. */
  readonly claims?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The authentication context that `interactionRequired` demands; a token of the user that has it in `acrs` is taken. */
export const DEMANDED_CONTEXT = 'c1';

const CHALLENGE = JSON.stringify({ access_token: { acrs: { essential: true, value: DEMANDED_CONTEXT } } });

export const TOKEN_ERRORS = {
  unsupportedGrant: {
    status: 400,
    error: 'unsupported_grant_type',
    code: 70003,
    says: 'The app requested an unsupported grant type.',
  },
  unknownApp: {
    status: 400,
    error: 'unauthorized_client',
    code: 700016,
    says: 'Application was not found in the directory.',
  },
  badScope: {
    status: 400,
    error: 'invalid_scope',
    code: 1002012,
    says: 'The scope must be a resource identifier with /.default.',
  },
  clientSecretWrong: { status: 401, error: 'invalid_client', code: 7000215, says: 'Invalid client secret provided.' },
  clientSecretExpired: {
    status: 401,
    error: 'invalid_client',
    code: 7000222,
    says: 'The provided client secret keys are expired.',
  },
  clientAssertionWrong: {
    status: 401,
    error: 'invalid_client',
    code: 700027,
    says: 'Client assertion failed signature validation.',
  },
  federationUnknown: {
    status: 401,
    error: 'invalid_client',
    code: 700213,
    says: 'No matching federated identity record found for presented assertion subject.',
  },
  invalidAssertion: {
    status: 400,
    error: 'invalid_grant',
    code: 50013,
    says: 'Assertion failed signature validation.',
  },
  wrongAudience: {
    status: 400,
    error: 'invalid_grant',
    code: 500131,
    says: 'Assertion audience does not match the Client app presenting the assertion.',
  },
  expiredAssertion: {
    status: 400,
    error: 'invalid_grant',
    code: 500133,
    says: 'Assertion is not within its valid time range.',
  },
  appAssertion: {
    status: 400,
    error: 'invalid_grant',
    code: 7000114,
    says: 'Application is not allowed to make application on-behalf-of calls.',
  },
  invalidGrant: {
    status: 400,
    error: 'invalid_grant',
    code: 50173,
    says: 'The provided grant has expired due to it being revoked, a fresh auth token is needed.',
    suberror: 'bad_token',
  },
  consentRequired: {
    status: 400,
    error: 'invalid_grant',
    code: 65001,
    says: 'The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource.',
    suberror: 'consent_required',
  },
  interactionRequired: {
    status: 400,
    error: 'interaction_required',
    code: 50076,
    says: 'Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the resource.',
    suberror: 'basic_action',
    claims: CHALLENGE,
  },
  enrolmentRequired: {
    status: 400,
    error: 'interaction_required',
    code: 50079,
    says: 'Due to a configuration change made by your administrator, you must enroll in multi-factor authentication to access the resource.',
    suberror: 'basic_action',
    claims: CHALLENGE,
  },
  userNotAssigned: {
    status: 400,
    error: 'invalid_grant',
    code: 50105,
    says: 'The signed in user is not assigned to a role for the application.',
  },
  userDisabled: { status: 400, error: 'invalid_grant', code: 50057, says: 'The user account is disabled.' },
  throttled: {
    status: 429,
    error: 'temporarily_unavailable',
    code: 90055,
    says: 'There are too many incoming requests.',
    headers: { 'Retry-After': '60' },
  },
  unavailable: {
    status: 503,
    error: 'temporarily_unavailable',
    code: 90033,
    says: 'A transient error has occurred. Please try again.',
  },
} as const satisfies Record<string, TokenError>;

export type TokenErrorName = keyof typeof TOKEN_ERRORS;

export function isTokenErrorName(name: string): name is TokenErrorName {
  return Object.hasOwn(TOKEN_ERRORS, name);
}

/** The body as Entra sends it. */
export function tokenErrorBody(
  { error, code, says, suberror, claims }: TokenError,
  now: Date,
  ids: { readonly trace: string; readonly correlation: string },
): object {
  const timestamp = `${now.toISOString().slice(0, 19).replace('T', ' ')}Z`;
  const description = `AADSTS${code}: ${says} Trace ID: ${ids.trace} Correlation ID: ${ids.correlation} Timestamp: ${timestamp}`;
  return {
    error,
    error_description: description,
    error_codes: [code],
    timestamp,
    trace_id: ids.trace,
    correlation_id: ids.correlation,
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
    ...(suberror !== undefined && { suberror }),
    ...(claims !== undefined && { claims }),
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { createPlayback } from '../common/playback.ts';

/** An error of the token endpoint: learn.microsoft.com/entra/identity-platform/reference-error-codes */
export interface TokenError {
  readonly status: number;
  /** RFC 6749, section 5.2, and Entra's own. */
  readonly error: string;
  /** The number after AADSTS. */
  readonly code: number;
  readonly message: string;
  readonly suberror?: string;
  /** A claims challenge as JSON: the claims that a new token of the user must have. */
  readonly claims?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The authentication context that `interactionRequired` demands. A user's token that has it in `acrs` is valid. */
export const DEMANDED_CONTEXT = 'c1';

const CHALLENGE = JSON.stringify({ access_token: { acrs: { essential: true, value: DEMANDED_CONTEXT } } });

type More = Pick<TokenError, 'suberror' | 'claims' | 'headers'>;

function invalidGrant(code: number, message: string, more: More = {}): TokenError {
  return { status: 400, error: 'invalid_grant', code, message, ...more };
}

function invalidClient(code: number, message: string): TokenError {
  return { status: 401, error: 'invalid_client', code, message };
}

function interaction(code: number, message: string): TokenError {
  return {
    ...invalidGrant(code, message, { suberror: 'basic_action', claims: CHALLENGE }),
    error: 'interaction_required',
  };
}

function other(status: number, error: string, code: number, message: string, more: More = {}): TokenError {
  return { status, error, code, message, ...more };
}

/** The closed list of errors of the token endpoint. It returns them on its own, or when they are played. */
export const TOKEN_ERRORS = {
  unsupportedGrant: other(400, 'unsupported_grant_type', 70003, 'The app requested an unsupported grant type.'),
  unknownApp: other(400, 'unauthorized_client', 700016, 'Application was not found in the directory.'),
  badScope: other(400, 'invalid_scope', 1002012, 'The scope must be a resource identifier with /.default.'),
  clientSecretWrong: invalidClient(7000215, 'Invalid client secret provided.'),
  clientSecretExpired: invalidClient(7000222, 'The provided client secret keys are expired.'),
  clientAssertionWrong: invalidClient(700027, 'Client assertion failed signature validation.'),
  federationUnknown: invalidClient(
    700213,
    'No matching federated identity record found for presented assertion subject.',
  ),
  invalidAssertion: invalidGrant(50013, 'Assertion failed signature validation.'),
  wrongAudience: invalidGrant(500131, 'Assertion audience does not match the Client app presenting the assertion.'),
  expiredAssertion: invalidGrant(500133, 'Assertion is not within its valid time range.'),
  appAssertion: invalidGrant(7000114, 'Application is not allowed to make application on-behalf-of calls.'),
  invalidGrant: invalidGrant(
    50173,
    'The provided grant has expired due to it being revoked, a fresh auth token is needed.',
    { suberror: 'bad_token' },
  ),
  consentRequired: invalidGrant(
    65001,
    'The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource.',
    { suberror: 'consent_required' },
  ),
  interactionRequired: interaction(
    50076,
    'Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the resource.',
  ),
  enrolmentRequired: interaction(
    50079,
    'Due to a configuration change made by your administrator, you must enroll in multi-factor authentication to access the resource.',
  ),
  userNotAssigned: invalidGrant(50105, 'The signed in user is not assigned to a role for the application.'),
  userDisabled: invalidGrant(50057, 'The user account is disabled.'),
  throttled: other(429, 'temporarily_unavailable', 90055, 'There are too many incoming requests.', {
    headers: { 'Retry-After': '60' },
  }),
  unavailable: other(503, 'temporarily_unavailable', 90033, 'A transient error has occurred. Please try again.'),
} as const satisfies Record<string, TokenError>;

export type TokenErrorName = keyof typeof TOKEN_ERRORS;

/** The body as Entra sends it. */
export function tokenErrorBody(
  { error, code, message, suberror, claims }: TokenError,
  now: Date,
  ids: { readonly trace: string; readonly correlation: string },
): object {
  const timestamp = `${now.toISOString().slice(0, 19).replace('T', ' ')}Z`;
  const description = `AADSTS${code}: ${message} Trace ID: ${ids.trace} Correlation ID: ${ids.correlation} Timestamp: ${timestamp}`;
  return {
    error,
    error_description: description,
    error_codes: [code],
    timestamp,
    trace_id: ids.trace,
    correlation_id: ids.correlation,
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
    suberror,
    claims,
  };
}

/** `down` closes the connection, `failing` returns 500, `garbage` 200 without JSON, `slow` is late, `hanging` never responds. */
export type TenantError = 'none' | 'down' | 'failing' | 'slow' | 'hanging' | 'garbage';

export interface PlayOptions {
  /** The delay of `slow`, default 2000. */
  readonly ms?: number;
  /** The requests that fail; a token error concerns the token endpoint only. Default `everything`. */
  readonly on?: 'everything' | 'tokenEndpoint';
  /** Number of requests; without it all, until `none` is played. */
  readonly times?: number;
}

interface Playing extends Required<Pick<PlayOptions, 'ms' | 'on'>> {
  readonly name: Exclude<TenantError, 'none'> | TokenErrorName;
}

export function createTenantErrors() {
  const playback = createPlayback<Playing>();
  return {
    play(name: TenantError | TokenErrorName, { ms = 2000, on = 'everything', times }: PlayOptions = {}): void {
      playback.play(name === 'none' ? undefined : { name, ms, on }, times);
    },
    /** The error of this request; waits first if it is `slow`. */
    async take(isTokenRequest: boolean): Promise<TenantError> {
      const playing = playback.take(
        ({ name, on }) => !isTokenErrorName(name) && (on === 'everything' || isTokenRequest),
      );
      if (playing === undefined || isTokenErrorName(playing.name)) return 'none';
      if (playing.name === 'slow') await sleep(playing.ms);
      return playing.name;
    },
    /**
     * The token error of a valid request. One with a claims challenge does not apply to a user who has met it.
     * @param contexts authentication contexts of the user; empty for an app
     */
    takeTokenError(contexts: readonly unknown[]): TokenErrorName | undefined {
      const playing = playback.take(({ name }) => isTokenErrorName(name) && !isMet(TOKEN_ERRORS[name], contexts));
      return playing !== undefined && isTokenErrorName(playing.name) ? playing.name : undefined;
    },
  };
}

function isMet({ claims }: TokenError, contexts: readonly unknown[]): boolean {
  return claims !== undefined && contexts.includes(DEMANDED_CONTEXT);
}

function isTokenErrorName(name: string): name is TokenErrorName {
  return Object.hasOwn(TOKEN_ERRORS, name);
}

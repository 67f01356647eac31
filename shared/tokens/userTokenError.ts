import { isObject } from '../common/isObject.ts';
import { ServiceError } from '../errors.ts';

/** What the token endpoint said: RFC 6749, section 5.2, and Entra's own members. */
interface Refusal {
  readonly error: string;
  readonly suberror: string;
  /** The number behind AADSTS, NaN where none came: learn.microsoft.com/entra/identity-platform/reference-error-codes */
  readonly code: number;
  /** A claims challenge, as JSON; empty where there is none. */
  readonly claims: string;
}

/** Nobody has consented; the user declined; only an administrator can. */
const CONSENT_CODES = [65001, 65004, 90094];

/** Not assigned to the application; disabled; not in the directory; locked; blocked by Conditional Access. */
const USER_CODES = [50105, 50057, 50034, 50020, 50053, 53003];

/**
 * Why there is no token for a user, by what Entra said: as something that the caller can act on where it can, else as a
 * failure of the proxy's own.
 *
 * @param authorizationUri where the user can sign in again
 */
export function userTokenError(error: unknown, authorizationUri: string): ServiceError {
  const refusal = readRefusal(error);
  if (refusal === undefined) return unavailable(error);
  const { code, suberror, claims } = refusal;
  if (claims !== '') return claimsChallenge(claims, authorizationUri, error);
  if (suberror === 'consent_required' || CONSENT_CODES.includes(code)) {
    return new ServiceError('ConsentRequired', 'Nobody has consented that the proxy acts for this user.', {
      cause: error,
    });
  }
  if (USER_CODES.includes(code)) {
    return new ServiceError('UserNotAllowed', 'Entra does not let the proxy act for this user.', { cause: error });
  }
  const headers = { 'www-authenticate': 'Bearer error="invalid_token"' };
  if (refusal.error === 'interaction_required' || suberror === 'bad_token') {
    return new ServiceError('InteractionRequired', 'The user must sign in again.', { headers, cause: error });
  }
  if (refusal.error === 'invalid_grant') {
    const message = 'Entra does not take the access token on behalf of its user.';
    return new ServiceError('InvalidAuthenticationToken', message, { headers, cause: error });
  }
  return unavailable(error);
}

/** The challenge as Entra's own APIs send it, for the caller's client to meet: learn.microsoft.com/entra/identity-platform/claims-challenge */
export function claimsChallenge(claims: string, authorizationUri: string, cause?: unknown): ServiceError {
  const encoded = Buffer.from(claims, 'utf8').toString('base64');
  const challenge = `Bearer error="insufficient_claims", claims="${encoded}", authorization_uri="${authorizationUri}"`;
  const message = 'The user must sign in again with the claims of the WWW-Authenticate header.';
  return new ServiceError('InteractionRequired', message, { headers: { 'www-authenticate': challenge }, cause });
}

export function unavailable(cause: unknown): ServiceError {
  const message = 'The proxy could not get a token for Graph on behalf of the user.';
  return new ServiceError('TokenUnavailable', message, { cause });
}

/** The connection failed before the token endpoint said anything. */
export function isConnectionFailure(error: unknown): boolean {
  return readRefusal(error)?.error === 'network_error';
}

/** @azure/identity wraps MSAL's error, which has what the endpoint said. */
function readRefusal(error: unknown): Refusal | undefined {
  for (let current = error; isObject(current); current = current['cause']) {
    const { errorCode, errorNo, subError, claims } = current;
    if (typeof errorCode !== 'string') continue;
    return {
      error: errorCode,
      suberror: typeof subError === 'string' ? subError : '',
      code: Number(errorNo),
      claims: typeof claims === 'string' ? claims : '',
    };
  }
  return undefined;
}

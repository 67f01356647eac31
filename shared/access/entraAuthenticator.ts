import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { abortable } from '../common/deadline.ts';
import { lazy } from '../common/lazy.ts';
import { MAX_AUTHORIZATION_LENGTH, TOKEN_CLOCK_SKEW_SECONDS } from '../common/limits.ts';
import type { CallerAuthConfig } from '../config/config.ts';
import { ServiceError } from '../errors.ts';
import type { AuthenticatedCaller, Authenticator } from './caller.ts';
import { createSigningKeys } from './signingKeys.ts';

type EntraConfig = Extract<CallerAuthConfig, { kind: 'entra' }>;

/** RFC 6750, section 2.1. Two tokens in one header, or the header sent twice, hold a comma or a space and do not match. */
const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Verifies Entra access tokens of one tenant, v1 and v2 (learn.microsoft.com/entra/identity-platform/access-tokens).
 * Headers that the platform's own authentication may have set are not looked at: they pass through from outside where it
 * is off.
 *
 * @param createKeys gives the lookup of the tenant's signing keys, by their URL; createSigningKeys unless a test says otherwise
 */
export function createEntraAuthenticator(
  config: EntraConfig,
  createKeys: (jwksUrl: string) => Promise<JWTVerifyGetKey> = createSigningKeys,
): Authenticator {
  const issuers = issuersOf(config);
  const signingKeys = lazy(() => createKeys(`${config.authorityHost}/${config.tenantId}/discovery/v2.0/keys`));

  async function verify(token: string): Promise<JWTPayload> {
    const [{ jwtVerify }, keys] = await Promise.all([import('./tokenLibrary.ts'), signingKeys()]).catch(notLoaded);
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ['RS256'],
      issuer: issuers,
      audience: [...config.audiences],
      requiredClaims: ['exp', 'nbf', 'iss', 'aud', 'tid'],
      clockTolerance: TOKEN_CLOCK_SKEW_SECONDS,
    });
    return payload;
  }

  return {
    async authenticate(authorization, signal) {
      const token = bearerToken(authorization);
      let claims: JWTPayload;
      try {
        claims = await abortable(verify(token), signal);
      } catch (error) {
        throw error instanceof ServiceError ? error : invalidToken(error);
      }
      if (claims['tid'] !== config.tenantId) throw invalidToken('The token is of another tenant.');
      return callerOf(claims, config.role, token);
    },
  };
}

/** The tenant's two issuers. The v1 form has its own host, and in China the v2 form too (each authority's openid-configuration names it): learn.microsoft.com/entra/identity-platform/access-token-claims-reference */
function issuersOf({ authorityHost, tenantId }: EntraConfig): string[] {
  const isChina = /\.(chinacloudapi|partner\.microsoftonline)\.cn$/.test(new URL(authorityHost).hostname);
  const v1Host = isChina ? 'https://sts.chinacloudapi.cn' : 'https://sts.windows.net';
  const v2Host = isChina ? 'https://login.partner.microsoftonline.cn' : authorityHost;
  return [`${v1Host}/${tenantId}/`, `${v2Host}/${tenantId}/v2.0`];
}

function bearerToken(authorization: string | null): string {
  if (authorization === null) {
    throw new ServiceError('InvalidAuthenticationToken', 'An access token is required.', {
      headers: { 'www-authenticate': 'Bearer' },
    });
  }
  const token = authorization.length <= MAX_AUTHORIZATION_LENGTH ? BEARER.exec(authorization)?.[1] : undefined;
  if (token === undefined) throw invalidToken('The Authorization header is no single bearer token of allowed length.');
  return token;
}

/** An app's token carries roles; one with `scp` is a user's, and its own user is all that it can stand for. */
function callerOf(claims: JWTPayload, role: string, token: string): AuthenticatedCaller {
  const appId = claims['azp'] ?? claims['appid'];
  if (typeof appId !== 'string' || !GUID.test(appId)) throw invalidToken('The token names no calling app.');
  const scopes = claims['scp'];
  if (scopes === undefined) {
    const roles = claims['roles'];
    if (!Array.isArray(roles) || !roles.includes(role)) throw missing('role', role);
    return { kind: 'app', appId: appId.toLowerCase() };
  }
  if (typeof scopes !== 'string' || !scopes.split(' ').includes(role)) throw missing('scope', role);
  const userId = claims['oid'];
  if (typeof userId !== 'string' || !GUID.test(userId)) throw invalidToken('The token names no user.');
  return { kind: 'delegated', appId: appId.toLowerCase(), userId: userId.toLowerCase(), assertion: token };
}

/** What cannot be loaded is no fault of the token. */
function notLoaded(cause: unknown): never {
  throw new ServiceError('SigningKeysUnavailable', 'Tokens cannot be verified at the moment.', { cause });
}

/** The caller learns no more than RFC 6750 says; `cause` is for the log. */
function invalidToken(cause: unknown): ServiceError {
  return new ServiceError('InvalidAuthenticationToken', 'The access token is not accepted.', {
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    cause,
  });
}

function missing(what: 'role' | 'scope', role: string): ServiceError {
  return new ServiceError('CallerNotAllowed', `The access token lacks the ${what} that this API demands.`, {
    headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' },
    cause: `${what} ${role} is missing`,
  });
}

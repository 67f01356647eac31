import { createPublicKey } from 'node:crypto';
import { createLocalJWKSet, errors, type JWK, jwtVerify } from 'jose';
import type { TokenChecker } from '../common/tokenRegistry.ts';
import type { TokenErrorName } from './tenantErrors.ts';

/** An app registration. */
export interface TenantClient {
  readonly clientId: string;
  readonly secret?: string;
  /** PEM of the certificate or public key with which its client assertions are signed (RS256 or PS256). */
  readonly assertionKey?: string;
  /** Client ids of the managed identities whose tokens are a credential of this app. */
  readonly federatedIdentities?: readonly string[];
  /** App roles in its tokens, for any API. */
  readonly roles?: readonly string[];
  /** Application ID URIs in addition to `api://{clientId}`: valid audiences of a user's assertion. */
  readonly identifierUris?: readonly string[];
  /** Delegated Graph permissions with consent, separated by spaces; may be empty. Default: those of the four families. */
  readonly scopes?: string;
}

export interface TokenEndpoint {
  readonly clients: readonly TenantClient[];
  readonly tokens: TokenChecker;
  /** The tenant's public keys and issuers, by which it recognizes its own tokens. */
  readonly keys: readonly JWK[];
  readonly issuers: readonly string[];
  readonly now: Date;
}

interface Grant {
  readonly client: TenantClient;
  /** The scope without `/.default`. */
  readonly resource: string;
}

interface AssertedUser {
  /** Object id. */
  readonly user: string;
  /** Authentication contexts that the user has satisfied (`acrs`). */
  readonly contexts: readonly unknown[];
}

interface UserGrant extends Grant, AssertedUser {
  /** Delegated permissions, separated by spaces. */
  readonly scopes: string;
}

type Refused = { readonly kind: 'refused'; readonly error: TokenErrorName };

export type TokenOutcome = ({ readonly kind: 'app' } & Grant) | ({ readonly kind: 'user' } & UserGrant) | Refused;

/** The permissions for attachments of the four families. */
const DEFAULT_SCOPES = 'Mail.ReadWrite Calendars.ReadWrite Tasks.ReadWrite Group.ReadWrite.All';

/** The identity library adds these scopes to the resource's. */
const OIDC_SCOPES = ['openid', 'profile', 'offline_access'];

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** One for each cloud: learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity */
const EXCHANGE_AUDIENCES = [
  'api://AzureADTokenExchange',
  'api://AzureADTokenExchangeUSGov',
  'api://AzureADTokenExchangeChina',
];

/**
 * Checks a token request: client credentials (learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow)
 * or on behalf of a user (…/v2-oauth2-on-behalf-of-flow).
 */
export async function checkTokenRequest(form: URLSearchParams, endpoint: TokenEndpoint): Promise<TokenOutcome> {
  const isForUser = isOnBehalfOf(form);
  if (!isForUser && form.get('grant_type') !== 'client_credentials') return refused('unsupportedGrant');
  const client = endpoint.clients.find(({ clientId }) => clientId === form.get('client_id'));
  if (client === undefined) return refused('unknownApp');
  const credentialError = await checkCredential(form, client, endpoint);
  if (credentialError !== undefined) return refused(credentialError);
  const resource = resourceOf(form.get('scope') ?? '');
  if (resource === undefined) return refused('badScope');
  if (!isForUser) return { kind: 'app', client, resource };
  const asserted = await readAssertion(form.get('assertion') ?? '', client, endpoint);
  if (typeof asserted === 'string') return refused(asserted);
  const scopes = client.scopes ?? DEFAULT_SCOPES;
  if (scopes === '') return refused('consentRequired');
  return { kind: 'user', client, resource, scopes, ...asserted };
}

export function isOnBehalfOf(form: URLSearchParams): boolean {
  return (
    form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer' &&
    form.get('requested_token_use') === 'on_behalf_of'
  );
}

function resourceOf(scope: string): string | undefined {
  const scopes = scope.split(' ').filter((one) => !OIDC_SCOPES.includes(one));
  return scopes.length === 1 ? /^(\S+)\/\.default$/.exec(scopes[0] ?? '')?.[1] : undefined;
}

function refused(error: TokenErrorName): Refused {
  return { kind: 'refused', error };
}

/** Checks the app's secret, its federated identity, or its signed assertion. Returns the error, if any. */
async function checkCredential(
  form: URLSearchParams,
  client: TenantClient,
  { tokens, now }: TokenEndpoint,
): Promise<TokenErrorName | undefined> {
  const assertion = form.get('client_assertion');
  if (assertion === null) {
    const isRight = client.secret !== undefined && form.get('client_secret') === client.secret;
    return isRight ? undefined : 'clientSecretWrong';
  }
  if (form.get('client_assertion_type') !== ASSERTION_TYPE) return 'clientAssertionWrong';
  const identityToken = tokens.check(assertion);
  if (identityToken.kind !== 'unknown') {
    const isTrusted = client.federatedIdentities?.includes(tokens.appOf(assertion) ?? '') === true;
    const isFresh = identityToken.kind === 'valid' && EXCHANGE_AUDIENCES.includes(identityToken.audience);
    return isTrusted && isFresh ? undefined : 'federationUnknown';
  }
  return (await isSignedBy(client, assertion, now)) ? undefined : 'clientAssertionWrong';
}

async function isSignedBy({ clientId, assertionKey }: TenantClient, assertion: string, now: Date): Promise<boolean> {
  if (assertionKey === undefined) return false;
  try {
    await jwtVerify(assertion, createPublicKey(assertionKey), {
      algorithms: ['RS256', 'PS256'],
      subject: clientId,
      requiredClaims: ['exp'],
      currentDate: now,
      // Entra's clock skew. The identity library rounds `nbf` to the nearest second, which may be in the future.
      clockTolerance: 300,
    });
    return true;
  } catch {
    return false;
  }
}

/** Reads the user's token that an app presents: it must be signed by this tenant, for that app, valid now, and a user's. */
async function readAssertion(
  assertion: string,
  client: TenantClient,
  { keys, issuers, now }: TokenEndpoint,
): Promise<AssertedUser | TokenErrorName> {
  try {
    const { payload } = await jwtVerify(assertion, createLocalJWKSet({ keys: [...keys] }), {
      algorithms: ['RS256'],
      issuer: [...issuers],
      audience: [client.clientId, `api://${client.clientId}`, ...(client.identifierUris ?? [])],
      currentDate: now,
    });
    const { oid: user, scp, acrs } = payload;
    if (typeof scp !== 'string' || typeof user !== 'string') return 'appAssertion';
    return { user, contexts: Array.isArray(acrs) ? acrs : [] };
  } catch (error) {
    if (error instanceof errors.JWTExpired) return 'expiredAssertion';
    if (!(error instanceof errors.JWTClaimValidationFailed)) return 'invalidAssertion';
    if (error.claim === 'aud') return 'wrongAudience';
    return error.claim === 'nbf' ? 'expiredAssertion' : 'invalidAssertion';
  }
}

import { createPublicKey } from 'node:crypto';
import { jwtVerify } from 'jose';

/** An app registration. */
export interface TenantClient {
  readonly clientId: string;
  readonly secret?: string;
  /** PEM of the certificate or public key with which its client assertions are signed (RS256 or PS256). */
  readonly assertionKey?: string;
  /** App roles that its tokens carry, whatever the API. */
  readonly roles?: readonly string[];
}

export interface TokenGrant {
  readonly kind: 'granted';
  readonly client: TenantClient;
  /** The scope without `/.default`. */
  readonly resource: string;
}

export interface TokenRefusal {
  readonly kind: 'refused';
  readonly status: number;
  readonly error: string;
  readonly description: string;
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Checks a client credentials request: learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow. */
export async function checkTokenRequest(
  form: URLSearchParams,
  clients: readonly TenantClient[],
  now: Date,
): Promise<TokenGrant | TokenRefusal> {
  if (form.get('grant_type') !== 'client_credentials') {
    return refuse(400, 'unsupported_grant_type', 'AADSTS70003: The app requested an unsupported grant type.');
  }
  const client = clients.find(({ clientId }) => clientId === form.get('client_id'));
  if (client === undefined) {
    return refuse(400, 'unauthorized_client', 'AADSTS700016: Application was not found in the directory.');
  }
  const resource = /^(\S+)\/\.default$/.exec(form.get('scope') ?? '')?.[1];
  if (resource === undefined) {
    return refuse(400, 'invalid_scope', 'AADSTS1002012: The scope must be a resource identifier with /.default.');
  }
  const secret = form.get('client_secret');
  const assertion = form.get('client_assertion');
  if (secret !== null && secret === client.secret) return { kind: 'granted', client, resource };
  if (
    assertion !== null &&
    form.get('client_assertion_type') === ASSERTION_TYPE &&
    (await isSignedBy(client, assertion, now))
  ) {
    return { kind: 'granted', client, resource };
  }
  return assertion === null
    ? refuse(401, 'invalid_client', 'AADSTS7000215: Invalid client secret provided.')
    : refuse(401, 'invalid_client', 'AADSTS700027: Client assertion failed signature validation.');
}

async function isSignedBy({ assertionKey }: TenantClient, assertion: string, now: Date): Promise<boolean> {
  if (assertionKey === undefined) return false;
  try {
    await jwtVerify(assertion, createPublicKey(assertionKey), {
      algorithms: ['RS256', 'PS256'],
      requiredClaims: ['sub', 'exp'],
      currentDate: now,
      // The skew that Entra bears; the identity library rounds `nbf` to the nearest second, which may lie ahead.
      clockTolerance: 300,
    });
    return true;
  } catch {
    return false;
  }
}

function refuse(status: number, error: string, description: string): TokenRefusal {
  return { kind: 'refused', status, error, description };
}

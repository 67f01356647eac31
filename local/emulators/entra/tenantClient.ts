import { createPublicKey } from 'node:crypto';
import { jwtVerify } from 'jose';
import type { TokenChecker } from '../common/tokenRegistry.ts';
import type { TokenErrorName } from './tenantErrors.ts';

/** An app registration. */
export interface TenantClient {
  readonly clientId: string;
  readonly secret?: string;
  /** PEM of the certificate or public key with which its client assertions are signed (RS256 or PS256). */
  readonly assertionKey?: string;
  /** Client ids of the managed identities whose tokens it takes for a credential. */
  readonly federatedIdentities?: readonly string[];
  /** App roles that its tokens carry, whatever the API. */
  readonly roles?: readonly string[];
  /** Application ID URIs besides `api://{clientId}`: audiences that make an assertion its own. */
  readonly identifierUris?: readonly string[];
  /** Delegated permissions on Graph that were consented to, separated by spaces; empty: none. Default: those of the four families. */
  readonly scopes?: string;
}

/** How an app proved itself. */
export type ClientProof = 'secret' | 'certificate' | 'federated';

export type ClientCheck =
  | { readonly kind: 'known'; readonly client: TenantClient; readonly proof: ClientProof }
  | { readonly kind: 'refused'; readonly refusal: TokenErrorName };

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** One for each cloud: learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity */
const EXCHANGE_AUDIENCES = [
  'api://AzureADTokenExchange',
  'api://AzureADTokenExchangeUSGov',
  'api://AzureADTokenExchangeChina',
];

/** Checks the app and its credential, of whichever kind the form holds. */
export async function checkClient(
  form: URLSearchParams,
  clients: readonly TenantClient[],
  tokens: TokenChecker,
  now: Date,
): Promise<ClientCheck> {
  const client = clients.find(({ clientId }) => clientId === form.get('client_id'));
  if (client === undefined) return { kind: 'refused', refusal: 'unknownApp' };
  const assertion = form.get('client_assertion');
  if (assertion === null) {
    const isRight = client.secret !== undefined && form.get('client_secret') === client.secret;
    return isRight ? { kind: 'known', client, proof: 'secret' } : { kind: 'refused', refusal: 'clientSecretWrong' };
  }
  if (form.get('client_assertion_type') !== ASSERTION_TYPE) return { kind: 'refused', refusal: 'clientAssertionWrong' };
  const identityToken = tokens.check(assertion);
  if (identityToken.kind !== 'unknown') {
    const isTrusted = client.federatedIdentities?.includes(tokens.appOf(assertion) ?? '') === true;
    const isFresh = identityToken.kind === 'valid' && EXCHANGE_AUDIENCES.includes(identityToken.audience);
    return isTrusted && isFresh
      ? { kind: 'known', client, proof: 'federated' }
      : { kind: 'refused', refusal: 'federationUnknown' };
  }
  return (await isSignedBy(client, assertion, now))
    ? { kind: 'known', client, proof: 'certificate' }
    : { kind: 'refused', refusal: 'clientAssertionWrong' };
}

async function isSignedBy({ clientId, assertionKey }: TenantClient, assertion: string, now: Date): Promise<boolean> {
  if (assertionKey === undefined) return false;
  try {
    await jwtVerify(assertion, createPublicKey(assertionKey), {
      algorithms: ['RS256', 'PS256'],
      subject: clientId,
      requiredClaims: ['exp'],
      currentDate: now,
      // The skew that Entra bears; the identity library rounds `nbf` to the nearest second, which may lie ahead.
      clockTolerance: 300,
    });
    return true;
  } catch {
    return false;
  }
}

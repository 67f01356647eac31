import type { TokenChecker } from '../common/tokenRegistry.ts';
import { checkClient, type TenantClient } from './tenantClient.ts';
import type { TokenErrorName } from './tenantErrors.ts';
import { type AssertionKeys, checkAssertion } from './tenantOnBehalfOf.ts';

export type TokenOutcome =
  | {
      readonly kind: 'app';
      readonly client: TenantClient;
      /** The scope without `/.default`. */
      readonly resource: string;
    }
  | {
      readonly kind: 'user';
      readonly client: TenantClient;
      readonly resource: string;
      /** Object id. */
      readonly user: string;
      readonly contexts: readonly unknown[];
      /** Delegated permissions, separated by spaces. */
      readonly scopes: string;
    }
  | { readonly kind: 'refused'; readonly refusal: TokenErrorName };

export interface TokenEndpoint {
  readonly clients: readonly TenantClient[];
  readonly tokens: TokenChecker;
  readonly keys: AssertionKeys;
  readonly now: Date;
}

/** What the four families of attachments need. */
const DEFAULT_SCOPES = 'Mail.ReadWrite Calendars.ReadWrite Tasks.ReadWrite Group.ReadWrite.All';

/** The identity library asks for these besides; they say nothing about the resource. */
const OIDC_SCOPES = ['openid', 'profile', 'offline_access'];

/**
 * Checks a token request: client credentials (learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow)
 * or on behalf of a user (…/v2-oauth2-on-behalf-of-flow).
 */
export async function checkTokenRequest(form: URLSearchParams, endpoint: TokenEndpoint): Promise<TokenOutcome> {
  const isForUser = isOnBehalfOf(form);
  if (!isForUser && form.get('grant_type') !== 'client_credentials') return refused('unsupportedGrant');
  const checked = await checkClient(form, endpoint.clients, endpoint.tokens, endpoint.now);
  if (checked.kind === 'refused') return checked;
  const { client } = checked;
  const resource = resourceOf(form.get('scope') ?? '');
  if (resource === undefined) return refused('badScope');
  if (!isForUser) return { kind: 'app', client, resource };
  const assertion = await checkAssertion(form.get('assertion') ?? '', client, endpoint.keys, endpoint.now);
  if (assertion.kind === 'refused') return assertion;
  const scopes = client.scopes ?? DEFAULT_SCOPES;
  if (scopes === '') return refused('consentRequired');
  return { kind: 'user', client, resource, user: assertion.user, contexts: assertion.contexts, scopes };
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

function refused(refusal: TokenErrorName): TokenOutcome {
  return { kind: 'refused', refusal };
}

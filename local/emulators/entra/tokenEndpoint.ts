import { randomUUID } from 'node:crypto';
import type { TokenRegistry } from '../common/tokenRegistry.ts';
import { TOKEN_ERRORS, type TokenError, type TokenErrorName, tokenErrorBody } from './tenantErrors.ts';
import { checkTokenRequest, isOnBehalfOf, type TokenEndpoint, type TokenOutcome } from './tokenRequest.ts';
import type { IssueOptions, TokenSubject } from './tokens.ts';

export interface TenantResponse {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request for a token on behalf of a user. */
export interface OnBehalfOfRequest {
  readonly clientId: string | null;
  readonly assertion: string | null;
  readonly scope: string | null;
  /** The requested claims, as JSON. */
  readonly claims: string | null;
  /** Absent until the response is sent. */
  outcome?: TokenErrorName | 'granted';
}

interface TokenGrantsOptions {
  readonly tenantId: string;
  readonly tokens: TokenRegistry;
  readonly now: () => number;
  readonly endpoint: () => TokenEndpoint;
  readonly issue: (subject: TokenSubject, options: IssueOptions) => Promise<string>;
  readonly takeTokenError: (contexts: readonly unknown[]) => TokenErrorName | undefined;
}

type Granted = Exclude<TokenOutcome, { kind: 'refused' }>;

const TOKEN_SECONDS = 3599;

/** The token endpoint without its HTTP: takes a form, returns Entra's response, adds the granted token to the registry. */
export function createTokenGrants({ tenantId, tokens, now, endpoint, issue, takeTokenError }: TokenGrantsOptions) {
  const onBehalfOf: OnBehalfOfRequest[] = [];

  async function respond(form: URLSearchParams): Promise<TenantResponse> {
    const record = isOnBehalfOf(form) ? recordOf(form) : undefined;
    if (record !== undefined) onBehalfOf.push(record);
    const outcome = withPlayedError(await checkTokenRequest(form, endpoint()));
    if (record !== undefined) record.outcome = outcome.kind === 'refused' ? outcome.error : 'granted';
    return outcome.kind === 'refused' ? refuse(outcome.error) : grant(outcome);
  }

  function withPlayedError(outcome: TokenOutcome): TokenOutcome {
    if (outcome.kind === 'refused') return outcome;
    const error = takeTokenError(outcome.kind === 'user' ? outcome.contexts : []);
    return error === undefined ? outcome : { kind: 'refused', error };
  }

  function refuse(name: TokenErrorName): TenantResponse {
    const error: TokenError = TOKEN_ERRORS[name];
    const body = tokenErrorBody(error, new Date(now()), { trace: randomUUID(), correlation: randomUUID() });
    return { status: error.status, body, ...(error.headers !== undefined && { headers: error.headers }) };
  }

  async function grant(granted: Granted): Promise<TenantResponse> {
    const { client, resource } = granted;
    // A v2 token names the API by its client id, which a default App ID URI contains.
    const common = { audience: resource.replace(/^api:\/\//, ''), appId: client.clientId };
    const lifetime = { lifetimeSeconds: TOKEN_SECONDS };
    const user = granted.kind === 'user' ? { oid: granted.user, scp: granted.scopes } : undefined;
    const token = await issue({ ...common, ...(user ?? { roles: client.roles ?? [] }) }, lifetime);
    const holder = { app: client.clientId, ...(user !== undefined && { user: user.oid }) };
    tokens.remember(token, resource, now() + TOKEN_SECONDS * 1000, holder);
    const times = { expires_in: TOKEN_SECONDS, ext_expires_in: TOKEN_SECONDS };
    const body = { token_type: 'Bearer', ...times, access_token: token };
    if (user === undefined) return { status: 200, body };
    const session = {
      scope: `openid profile ${user.scp}`,
      refresh_token: randomUUID(),
      id_token: await issue({ ...common, audience: client.clientId, oid: user.oid }, lifetime),
      client_info: Buffer.from(JSON.stringify({ uid: user.oid, utid: tenantId })).toString('base64url'),
    };
    return { status: 200, body: { ...body, ...session } };
  }

  return { respond, onBehalfOf };
}

function recordOf(form: URLSearchParams): OnBehalfOfRequest {
  return {
    clientId: form.get('client_id'),
    assertion: form.get('assertion'),
    scope: form.get('scope'),
    claims: form.get('claims'),
  };
}

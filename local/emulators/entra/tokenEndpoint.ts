import { randomUUID } from 'node:crypto';
import type { TokenRegistry } from '../common/tokenRegistry.ts';
import { TOKEN_ERRORS, type TokenError, type TokenErrorName, tokenErrorBody } from './tenantErrors.ts';
import { checkTokenRequest, isOnBehalfOf, type TokenEndpoint, type TokenOutcome } from './tokenRequest.ts';
import type { IssueOptions, TokenSubject } from './tokens.ts';

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request for a token on behalf of a user. */
export interface OnBehalfOfRequest {
  readonly clientId: string | null;
  readonly assertion: string | null;
  readonly scope: string | null;
  /** The claims that were asked for, as JSON. */
  readonly claims: string | null;
  /** Absent while the answer is under way. */
  outcome?: TokenErrorName | 'granted';
}

export interface TokenGrantsOptions {
  readonly tenantId: string;
  readonly tokens: TokenRegistry;
  readonly now: () => number;
  /** What holds at the moment of a request. */
  readonly endpoint: () => TokenEndpoint;
  readonly issue: (subject: TokenSubject, options: IssueOptions) => Promise<string>;
  /** The refusal that is being played. */
  readonly playedRefusal: (contexts: readonly unknown[]) => TokenErrorName | undefined;
}

type Granted = Exclude<TokenOutcome, { kind: 'refused' }>;

const TOKEN_SECONDS = 3599;

/** The token endpoint behind its HTTP: a form in, Entra's answer out; what was granted is in the registry. */
export function createTokenGrants({ tenantId, tokens, now, endpoint, issue, playedRefusal }: TokenGrantsOptions) {
  const onBehalfOf: OnBehalfOfRequest[] = [];

  async function answer(form: URLSearchParams): Promise<Reply> {
    const record = isOnBehalfOf(form) ? recordOf(form) : undefined;
    if (record !== undefined) onBehalfOf.push(record);
    const outcome = played(await checkTokenRequest(form, endpoint()));
    if (record !== undefined) record.outcome = outcome.kind === 'refused' ? outcome.refusal : 'granted';
    return outcome.kind === 'refused' ? refuse(outcome.refusal) : give(outcome);
  }

  function played(outcome: TokenOutcome): TokenOutcome {
    if (outcome.kind === 'refused') return outcome;
    const refusal = playedRefusal(outcome.kind === 'user' ? outcome.contexts : []);
    return refusal === undefined ? outcome : { kind: 'refused', refusal };
  }

  function refuse(name: TokenErrorName): Reply {
    const refusal: TokenError = TOKEN_ERRORS[name];
    const body = tokenErrorBody(refusal, new Date(now()), { trace: randomUUID(), correlation: randomUUID() });
    return { status: refusal.status, body, ...(refusal.headers !== undefined && { headers: refusal.headers }) };
  }

  async function give(granted: Granted): Promise<Reply> {
    const { client, resource } = granted;
    // A v2 token names the API by its client id, which an App ID URI of the default form holds.
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

  return { answer, onBehalfOf };
}

function recordOf(form: URLSearchParams): OnBehalfOfRequest {
  return {
    clientId: form.get('client_id'),
    assertion: form.get('assertion'),
    scope: form.get('scope'),
    claims: form.get('claims'),
  };
}

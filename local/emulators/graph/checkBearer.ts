import type { Caller } from '../common/tokenRegistry.ts';
import { type CallIds, type GraphResponse, graphError } from './graphResponse.ts';
import type { GraphWorld } from './graphWorld.ts';

/** Roots of the clouds: learn.microsoft.com/graph/deployments. A token for the emulator's own address, under either of its names, is taken as well. */
const GRAPH_ROOTS = [
  'https://graph.microsoft.com',
  'https://graph.microsoft.us',
  'https://dod-graph.microsoft.us',
  'https://microsoftgraph.chinacloudapi.cn',
];
const CHALLENGE =
  'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"';

export type BearerCheck =
  | { readonly kind: 'accepted'; readonly caller: Caller }
  | { readonly kind: 'denied'; readonly answer: GraphResponse };

/** Denies with Graph's 401 when the Authorization header holds no token for Graph that an emulated issuer gave out. */
export function checkBearer(world: GraphWorld, ids: CallIds, authorization: string | undefined): BearerCheck {
  const [, token = ''] = /^Bearer (\S+)$/i.exec(authorization ?? '') ?? [];
  const reason = whyNot(world, token);
  if (reason !== undefined) {
    const headers = { 'WWW-Authenticate': challenge(world, token) };
    return { kind: 'denied', answer: graphError(ids, 401, 'InvalidAuthenticationToken', reason, headers) };
  }
  const userId = world.tokens.userOf(token);
  return { kind: 'accepted', caller: userId === undefined ? { kind: 'app' } : { kind: 'user', userId } };
}

/** With the claims that a new token must meet, where the user's sessions were revoked. */
function challenge(world: GraphWorld, token: string): string {
  const check = world.tokens.check(token);
  if (check.kind !== 'revoked') return CHALLENGE;
  return `${CHALLENGE}, error="insufficient_claims", claims="${Buffer.from(check.claims).toString('base64')}"`;
}

function whyNot(world: GraphWorld, token: string): string | undefined {
  if (token === '') return 'Access token is empty.';
  const check = world.tokens.check(token);
  if (check.kind === 'unknown') return 'CompactToken parsing failed with error code: 80049217';
  if (check.kind === 'expired') return 'Lifetime validation failed, the token is expired.';
  if (check.kind === 'revoked')
    return 'Continuous access evaluation resulted in challenge with result: InteractionRequired.';
  const audience = check.audience.replace(/\/$/, '').replace('//127.0.0.1:', '//localhost:');
  return audience === world.url || GRAPH_ROOTS.includes(audience)
    ? undefined
    : 'Access token validation failure. Invalid audience.';
}

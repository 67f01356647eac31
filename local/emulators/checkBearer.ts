import { type Answer, type CallIds, graphError } from './graphAnswer.ts';
import type { GraphWorld } from './graphWorld.ts';

/** Roots of the clouds: learn.microsoft.com/graph/deployments. A token for the emulator's own address is taken as well. */
const GRAPH_ROOTS = [
  'https://graph.microsoft.com',
  'https://graph.microsoft.us',
  'https://dod-graph.microsoft.us',
  'https://microsoftgraph.chinacloudapi.cn',
];
const CHALLENGE =
  'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"';

/** Graph's 401 when the Authorization header holds no token for Graph that an emulated issuer gave out; else undefined. */
export function checkBearer(world: GraphWorld, ids: CallIds, authorization: string | undefined): Answer | undefined {
  const reason = whyNot(world, authorization);
  if (reason === undefined) return undefined;
  return graphError(ids, 401, 'InvalidAuthenticationToken', reason, { 'WWW-Authenticate': CHALLENGE });
}

function whyNot(world: GraphWorld, authorization: string | undefined): string | undefined {
  const [, token] = /^Bearer (\S+)$/i.exec(authorization ?? '') ?? [];
  if (token === undefined) return 'Access token is empty.';
  const check = world.tokens.check(token);
  if (check.kind === 'unknown') return 'CompactToken parsing failed with error code: 80049217';
  if (check.kind === 'expired') return 'Lifetime validation failed, the token is expired.';
  const audience = check.audience.replace(/\/$/, '');
  return audience === world.url || GRAPH_ROOTS.includes(audience)
    ? undefined
    : 'Access token validation failure. Invalid audience.';
}

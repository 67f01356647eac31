import type { Caller } from '../common/tokenRegistry.ts';
import { GraphError } from './graphResponse.ts';
import type { GraphWorld } from './graphWorld.ts';

/** The clouds' roots (learn.microsoft.com/graph/deployments). The emulator's own URL is a valid audience too. */
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
  | { readonly kind: 'denied'; readonly error: GraphError };

/** Denies with Graph's 401 unless the Authorization header holds a token for Graph that an emulated issuer gave out. */
export function checkBearer(world: GraphWorld, authorization: string | undefined): BearerCheck {
  const [, token] = /^Bearer (\S+)$/i.exec(authorization ?? '') ?? [];
  if (token === undefined) return deny('Access token is empty.');
  const check = world.tokens.check(token);
  switch (check.kind) {
    case 'unknown':
      return deny('CompactToken parsing failed with error code: 80049217');
    case 'expired':
      return deny('Lifetime validation failed, the token is expired.');
    case 'revoked':
      return deny(
        'Continuous access evaluation resulted in challenge with result: InteractionRequired.',
        `${CHALLENGE}, error="insufficient_claims", claims="${Buffer.from(check.claims).toString('base64')}"`,
      );
    case 'valid': {
      const audience = check.audience.replace(/\/$/, '').replace('//127.0.0.1:', '//localhost:');
      if (audience !== world.url && !GRAPH_ROOTS.includes(audience)) {
        return deny('Access token validation failure. Invalid audience.');
      }
      const userId = world.tokens.userOf(token);
      return { kind: 'accepted', caller: userId === undefined ? { kind: 'app' } : { kind: 'user', userId } };
    }
  }
}

function deny(message: string, challenge = CHALLENGE): BearerCheck {
  const headers = { 'WWW-Authenticate': challenge };
  return { kind: 'denied', error: new GraphError(401, 'InvalidAuthenticationToken', message, { headers }) };
}

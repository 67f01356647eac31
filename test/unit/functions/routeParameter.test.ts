import { pathBelowPrefix, routeParameter } from '../../../functions/routeParameter.ts';
import { encodePathFully, readRequestTarget } from '../../../local/host/requestTarget.ts';
import type { ParsedRequest } from '../../../shared/server/request.ts';

describe('routeParameter', () => {
  it.each([
    [{ path: 'me' }, 'me'],
    [{ PATH: 'me', other: 'x' }, 'me'],
    [{ paths: 'me' }, undefined],
    [{}, undefined],
  ])('finds in %j %s', (params: Record<string, string>, expected) => {
    expect(routeParameter(params, 'path')).toBe(expected);
  });
});

/** A request as the host forwards it. */
function forwarded(target: string): ParsedRequest {
  const path = encodePathFully(readRequestTarget(target)?.path ?? '');
  const url = new URL(`https://proxy.example${path}`);
  return { kind: 'read', request: { url } } as ParsedRequest; // The rest is not read.
}

describe('pathBelowPrefix', () => {
  it.each([
    ['/api/me/messages', 'api', 'me/messages'],
    ['/API/me/', 'api', 'me/'],
    ['/api', 'api', ''],
    ['/me', '', 'me'],
    ['/deep/er/me', 'deep/er', 'me'],
    ['/api/v1.0//users', 'api', 'v1.0//users'],
    ['/api/a%2Fb%252Fc/d%20e', 'api', 'a%2Fb%2Fc/d e'],
    ['/api/100%25/%C3%A4%E9', 'api', '100%/ä%E9'],
    ["/api/users('a%23b%3F')", 'api', "users('a#b?')"],
  ])('gives for %s below %j what the routing gives', (target, prefix, expected) => {
    expect(pathBelowPrefix(forwarded(target), prefix)).toBe(expected);
  });

  it('gives nothing for a request without a valid URL', () => {
    expect(pathBelowPrefix({ kind: 'faulty' } as ParsedRequest, 'api')).toBe('');
  });
});

import { ServiceError } from '../../../shared/errors.ts';
import { claimsChallenge, isConnectionFailure, userTokenError } from '../../../shared/tokens/userTokenError.ts';

const SIGN_IN = 'https://login.example/tenant/oauth2/v2.0/authorize';
const CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"ü"}}}';

/** An error as @azure/identity throws it, around MSAL's own. */
function refused(says: { error: string; code?: number; suberror?: string; claims?: string }): Error {
  const { error, code, suberror = '', claims } = says;
  const inner = Object.assign(new Error(`${error}: AADSTS${code}`), {
    errorCode: error,
    errorNo: code,
    subError: suberror,
    claims,
  });
  return new Error('authentication required', { cause: inner });
}

describe('userTokenError', () => {
  it.each([
    [{ error: 'invalid_grant', code: 65001, suberror: 'consent_required' }, 'ConsentRequired'],
    [{ error: 'invalid_grant', suberror: 'consent_required' }, 'ConsentRequired'],
    [{ error: 'invalid_grant', code: 65004 }, 'ConsentRequired'],
    [{ error: 'invalid_grant', code: 90094 }, 'ConsentRequired'],
    [{ error: 'invalid_grant', code: 50105 }, 'UserNotAllowed'],
    [{ error: 'invalid_grant', code: 50057 }, 'UserNotAllowed'],
    [{ error: 'interaction_required', code: 53003 }, 'UserNotAllowed'],
    [{ error: 'interaction_required', code: 50076 }, 'InteractionRequired'],
    [{ error: 'interaction_required', code: 50079, suberror: 'basic_action' }, 'InteractionRequired'],
    [{ error: 'interaction_required', code: 53003, claims: CLAIMS }, 'InteractionRequired'],
    [{ error: 'invalid_grant', code: 50173, suberror: 'bad_token' }, 'InteractionRequired'],
    [{ error: 'invalid_grant', code: 50013 }, 'InvalidAuthenticationToken'],
    [{ error: 'invalid_grant', code: 500131 }, 'InvalidAuthenticationToken'],
    [{ error: 'invalid_grant' }, 'InvalidAuthenticationToken'],
    [{ error: 'invalid_client', code: 7000215 }, 'TokenUnavailable'],
    [{ error: 'invalid_client', code: 7000222 }, 'TokenUnavailable'],
    [{ error: 'invalid_client', code: 700027 }, 'TokenUnavailable'],
    [{ error: 'invalid_client', code: 700213 }, 'TokenUnavailable'],
    [{ error: 'unauthorized_client', code: 700016 }, 'TokenUnavailable'],
    [{ error: 'temporarily_unavailable', code: 90055 }, 'TokenUnavailable'],
    [{ error: 'server_error' }, 'TokenUnavailable'],
    [{ error: 'network_error' }, 'TokenUnavailable'],
  ])('makes of %j %s', (says, code) => {
    const cause = refused(says);

    expect(userTokenError(cause, SIGN_IN)).toMatchObject({ code, cause });
  });

  it.each([new Error('boom'), 'boom', undefined, new ServiceError('TokenUnavailable', 'no identity')])(
    'takes what did not come from the token endpoint for a failure of ours: %s',
    (error) => {
      expect(userTokenError(error, SIGN_IN)).toMatchObject({ code: 'TokenUnavailable', status: 503, headers: {} });
    },
  );

  it('hands a claims challenge on, to the byte', () => {
    const { status, headers } = userTokenError(refused({ error: 'interaction_required', claims: CLAIMS }), SIGN_IN);

    const challenge = headers['www-authenticate'] ?? '';
    const [, encoded = ''] = /^Bearer error="insufficient_claims", claims="([A-Za-z0-9+/=]+)"/.exec(challenge) ?? [];
    expect(status).toBe(401);
    expect(Buffer.from(encoded, 'base64').toString()).toBe(CLAIMS);
    expect(challenge).toContain(`authorization_uri="${SIGN_IN}"`);
  });

  it.each([
    { error: 'interaction_required', code: 50076 },
    { error: 'invalid_grant', code: 50013 },
  ])('tells a client with a useless token so: %j', (says) => {
    expect(userTokenError(refused(says), SIGN_IN).headers).toEqual({
      'www-authenticate': 'Bearer error="invalid_token"',
    });
  });

  it('says nothing of what Entra wrote', () => {
    for (const says of [
      { error: 'invalid_grant', code: 65001 },
      { error: 'invalid_client', code: 7000222 },
    ]) {
      expect(userTokenError(refused(says), SIGN_IN).message).not.toMatch(/AADSTS|invalid_/);
    }
  });
});

describe('claimsChallenge', () => {
  it('has the cause only for the log', () => {
    expect(claimsChallenge(CLAIMS, SIGN_IN, 'why')).toMatchObject({ code: 'InteractionRequired', cause: 'why' });
  });
});

describe('isConnectionFailure', () => {
  it('is true only of a connection that failed', () => {
    expect(isConnectionFailure(refused({ error: 'network_error' }))).toBe(true);
    expect(isConnectionFailure(refused({ error: 'server_error' }))).toBe(false);
    expect(isConnectionFailure(new Error('boom'))).toBe(false);
  });
});

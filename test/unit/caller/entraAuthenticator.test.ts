import { functionKeyAuthenticator } from '../../../shared/caller/caller.ts';
import { createEntraAuthenticator } from '../../../shared/caller/entraAuthenticator.ts';
import { MAX_AUTHORIZATION_LENGTH } from '../../../shared/limits.ts';
import { TENANT_ID } from '../../support/builders.ts';

/** Nothing listens there: a request for keys would fail with SigningKeysUnavailable. */
const authenticator = createEntraAuthenticator({
  kind: 'entra',
  tenantId: TENANT_ID,
  audiences: ['api://proxy'],
  role: 'UploadSession.Create',
  authorityHost: 'http://127.0.0.1:1',
});

const { signal } = new AbortController();

describe('createEntraAuthenticator', () => {
  it('asks for a token where none was sent, without saying more', async () => {
    await expect(authenticator.authenticate(null, signal)).rejects.toMatchObject({
      code: 'InvalidAuthenticationToken',
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
    });
  });

  it.each([
    '',
    'Bearer',
    'Bearer ',
    'Basic YTpi',
    'a.b.c',
    'Bearer a.b',
    'Bearer a.b.c.d',
    'Bearer a..c',
    'Bearer a.b.c, Bearer d.e.f',
    'Bearer a.b.c Bearer d.e.f',
    'Bearer a.b.c ',
    'Bearer\ta.b.c',
    ' Bearer a.b.c',
    'Bearer a.b.c\n',
    `Bearer a.b.${'c'.repeat(MAX_AUTHORIZATION_LENGTH)}`,
  ])('refuses %#: no single bearer token, before any key is fetched', async (authorization) => {
    await expect(authenticator.authenticate(authorization, signal)).rejects.toMatchObject({
      code: 'InvalidAuthenticationToken',
      message: 'The access token is not accepted.',
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    });
  });
});

describe('functionKeyAuthenticator', () => {
  it('takes everyone whom the platform let through for one caller, whatever the header says', async () => {
    expect(await functionKeyAuthenticator.authenticate('Bearer a.b.c', signal)).toEqual({ kind: 'functionKey' });
    expect(await functionKeyAuthenticator.authenticate(null, signal)).toEqual({ kind: 'functionKey' });
  });
});

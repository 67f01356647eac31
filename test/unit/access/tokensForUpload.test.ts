import type { AuthenticatedCaller, Authenticator } from '../../../shared/access/caller.ts';
import { tokensForUpload } from '../../../shared/access/tokensForUpload.ts';
import { ServiceError } from '../../../shared/errors.ts';
import { LogEntry } from '../../../shared/logging/logEntry.ts';
import { readRequestInfo } from '../../../shared/server/requestInfo.ts';
import type { TokenSource } from '../../../shared/tokens/tokenSource.ts';
import type { UserTokens } from '../../../shared/tokens/userTokens.ts';
import { APP_ID, incomingRequest, invocation, openDeadline, TENANT_ID, USER_ID } from '../../support/builders.ts';

const appTokens: TokenSource = { acquire: async () => 'the app’s', invalidate: () => {} };
const ACTS_FOR = { userId: USER_ID, appId: APP_ID };
const USER: AuthenticatedCaller = { kind: 'delegated', appId: APP_ID, userId: USER_ID, assertion: 'a.user.token' };

/** The source for a request with this header; `asked` is what authentication was asked. */
function sourceFor(
  actsFor: { userId: string; appId: string } | undefined,
  authenticate: () => Promise<AuthenticatedCaller>,
  authorization = 'Bearer a.user.token',
) {
  const asked: (string | null)[] = [];
  const dropped: unknown[] = [];
  const authenticator: Authenticator = {
    authenticate: (header) => {
      asked.push(header);
      return authenticate();
    },
  };
  const userTokens: UserTokens = {
    prepare: async () => {},
    acquire: async (assertion) => `for ${assertion}`,
    invalidate: (...dropping) => dropped.push(dropping),
  };
  const request = incomingRequest({ headers: { authorization } });
  const { context } = invocation();
  const exchange = {
    request,
    info: readRequestInfo(request.headers, context),
    deadline: openDeadline(),
    logEntry: new LogEntry('putRange'),
  };
  const record = actsFor === undefined ? {} : { actsFor };
  return { source: tokensForUpload(record, exchange, { authenticator, appTokens, userTokens }), asked, dropped };
}

describe('tokensForUpload', () => {
  it("takes the app's where the upload acts as the app, and looks at no token", async () => {
    const { source, asked } = sourceFor(undefined, async () => USER);

    expect(await source.acquire(openDeadline())).toBe('the app’s');
    expect(asked).toEqual([]);
  });

  it("takes the user's that comes with the request, and looks at it once, when Graph is to be asked", async () => {
    const { source, asked, dropped } = sourceFor(ACTS_FOR, async () => USER);
    source.invalidate('nothing was taken yet');
    expect(asked).toEqual([]);

    const taken = [await source.acquire(openDeadline()), await source.acquire(openDeadline())];
    source.invalidate('t', 'c');

    expect(taken).toEqual(['for a.user.token', 'for a.user.token']);
    expect(asked).toEqual(['Bearer a.user.token']);
    expect(dropped).toEqual([['a.user.token', 't', 'c']]);
  });

  it.each<[string, AuthenticatedCaller]>([
    ['another user', { ...USER, userId: TENANT_ID }],
    ['another application', { ...USER, appId: TENANT_ID }],
    ['an application itself', { kind: 'app', appId: APP_ID }],
    ['a holder of a key', { kind: 'functionKey' }],
  ])('refuses a token of %s', async (_, caller) => {
    const { source } = sourceFor(ACTS_FOR, async () => caller);

    await expect(source.acquire(openDeadline())).rejects.toMatchObject({ code: 'CallerNotAllowed' });
  });

  it('asks for a token where none comes', async () => {
    const { source } = sourceFor(ACTS_FOR, () =>
      Promise.reject(new ServiceError('InvalidAuthenticationToken', 'An access token is required.')),
    );

    await expect(source.acquire(openDeadline())).rejects.toMatchObject({ status: 401 });
  });
});

import fc from 'fast-check';
import type { AuthenticatedCaller } from '../../../shared/access/caller.ts';
import { tokensFor } from '../../../shared/access/tokensFor.ts';
import type { TokenSource } from '../../../shared/tokens/tokenSource.ts';
import { createUserTokens, type UserTokens } from '../../../shared/tokens/userTokens.ts';
import { APP_ID, openDeadline } from '../../support/builders.ts';

const HOUR_MS = 3_600_000;
const APP_TOKEN = 'the app’s';
const appTokens: TokenSource = { acquire: async () => APP_TOKEN, invalidate: () => {} };

function delegated(user: string, nonce = 0): AuthenticatedCaller {
  const claims = { oid: user, exp: (Date.now() + HOUR_MS) / 1000, nonce };
  const assertion = `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
  return { kind: 'delegated', appId: APP_ID, userId: user, assertion };
}

/** Exchanges at their own pace, each for a token that says whose assertion it was given for. */
function usersTokens(maxUsers: number): UserTokens {
  let given = 0;
  return createUserTokens({
    createCredential: async () => ({
      async getToken(assertion) {
        given += 1;
        const number = given;
        await new Promise((resolve) => setImmediate(resolve));
        const { oid } = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString());
        return { token: `${oid} ${number}`, expiresOnTimestamp: Date.now() + HOUR_MS };
      },
    }),
    scope: 'https://graph.example/.default',
    authorizationUri: 'https://login.example/authorize',
    maxUsers,
  });
}

describe('tokensFor', () => {
  it("gives the app's own where the policy acts as the app, for any caller", async () => {
    const callers: AuthenticatedCaller[] = [
      { kind: 'functionKey' },
      { kind: 'app', appId: APP_ID },
      delegated('adele'),
    ];

    for (const caller of callers) {
      const source = tokensFor('app', caller, { appTokens, userTokens: usersTokens(1) });
      expect(await source.acquire(openDeadline())).toBe(APP_TOKEN);
    }
  });

  it.each<[string, AuthenticatedCaller, UserTokens | undefined]>([
    ['an app', { kind: 'app', appId: APP_ID }, usersTokens(1)],
    ['a holder of a key', { kind: 'functionKey' }, usersTokens(1)],
    ['a user, where nobody can be acted for', delegated('adele'), undefined],
  ])("never gives the app's to %s where the policy acts as the user", (_, caller, userTokens) => {
    expect(() => tokensFor('user', caller, { appTokens, userTokens })).toThrow(
      expect.objectContaining({ code: 'ServiceMisconfigured' }),
    );
  });

  it("never gives a user another's token or the app's, in any order of requests, refusals and evictions", async () => {
    const request = fc.record({
      user: fc.constantFrom('adele', 'megan', 'lidia'),
      nonce: fc.nat(1),
      isRefused: fc.boolean(),
      actsAs: fc.constantFrom('user', 'user', 'app'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 30 }), fc.integer({ min: 1, max: 3 }), async (requests, max) => {
        const userTokens = usersTokens(max);
        const seen = await Promise.all(
          requests.map(async ({ user, nonce, isRefused, actsAs }) => {
            const source = tokensFor(actsAs, delegated(user, nonce), { appTokens, userTokens });
            const first = await source.acquire(openDeadline());
            if (!isRefused) return [first];
            source.invalidate(first);
            return [first, await source.acquire(openDeadline())];
          }),
        );

        for (const [index, { user, actsAs }] of requests.entries()) {
          for (const token of seen[index] ?? []) {
            expect(token.split(' ')[0]).toBe(actsAs === 'user' ? user : 'the');
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('drops a refused token of the one user', async () => {
    const userTokens = usersTokens(10);
    const adele = tokensFor('user', delegated('adele'), { appTokens, userTokens });
    const megan = tokensFor('user', delegated('megan'), { appTokens, userTokens });
    const [first, other] = [await adele.acquire(openDeadline()), await megan.acquire(openDeadline())];

    adele.invalidate(first);

    expect(await adele.acquire(openDeadline())).not.toBe(first);
    expect(await megan.acquire(openDeadline())).toBe(other);
    expect(() => adele.invalidate('x', '{"access_token":{}}')).toThrow(
      expect.objectContaining({ code: 'InteractionRequired' }),
    );
  });
});

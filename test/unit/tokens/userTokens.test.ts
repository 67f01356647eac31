import type { AccessToken, GetTokenOptions } from '@azure/identity';
import { TOKEN_USABLE_MARGIN_MS } from '../../../shared/common/limits.ts';
import { ServiceError } from '../../../shared/errors.ts';
import { createUserTokens, type UserTokensOptions } from '../../../shared/tokens/userTokens.ts';
import { openDeadline, settled } from '../../support/builders.ts';

const HOUR_MS = 3_600_000;
const SCOPE = 'https://graph.example/.default';
const SIGN_IN = 'https://login.example/tenant/oauth2/v2.0/authorize';
const START = Date.parse('2026-11-23T10:00:00Z');

interface Fetch {
  readonly assertion: string;
  readonly scope: string;
  readonly options: GetTokenOptions;
  give(token: string, lifetimeMs?: number): Promise<void>;
  giveNothing(): Promise<void>;
  fail(error: unknown): Promise<void>;
}

/** The token of a user, good for two hours unless `lifetimeMs` says otherwise. */
function assertionOf(user: string, lifetimeMs = 2 * HOUR_MS, claims: object = {}): string {
  const payload = { oid: user, exp: (START + lifetimeMs) / 1000, ...claims };
  return `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`;
}

/** User tokens whose credential answers when the test says so, and a clock that the test moves. */
function bench(options: Partial<UserTokensOptions> = {}) {
  const fetches: Fetch[] = [];
  const clock = { now: START, built: 0 };
  const getToken = (assertion: string, scope: string, fetchOptions: GetTokenOptions) =>
    new Promise<AccessToken | null>((resolve, reject) => {
      fetches.push({
        assertion,
        scope,
        options: fetchOptions,
        async give(token, lifetimeMs = HOUR_MS) {
          resolve({ token, expiresOnTimestamp: clock.now + lifetimeMs });
          await settled();
        },
        async giveNothing() {
          resolve(null);
          await settled();
        },
        async fail(error) {
          reject(error);
          await settled();
        },
      });
    });
  const tokens = createUserTokens({
    createCredential: async () => {
      clock.built += 1;
      return { getToken };
    },
    scope: SCOPE,
    authorizationUri: SIGN_IN,
    now: () => clock.now,
    ...options,
  });
  return {
    tokens,
    fetches,
    clock,
    /** Asks for a token and tells how that ended, or 'waiting'. */
    async ask(assertion: string): Promise<string> {
      let outcome = 'waiting';
      tokens.acquire(assertion, openDeadline()).then(
        (token) => {
          outcome = token;
        },
        (error) => {
          outcome = error.code;
        },
      );
      await settled();
      return outcome;
    },
    last(): Fetch {
      const last = fetches.at(-1);
      if (last === undefined) throw new Error('No token was asked for.');
      return last;
    },
  };
}

const ADELE = assertionOf('adele');
const MEGAN = assertionOf('megan');

async function benchWithToken(lifetimeMs = HOUR_MS, assertion = ADELE) {
  const made = bench();
  await made.ask(assertion);
  await made.last().give('first', lifetimeMs);
  return made;
}

describe('acquire', () => {
  it('exchanges the assertion for a token with the scope, once however many wait', async () => {
    const { tokens, fetches, last } = bench();
    const waiting = Array.from({ length: 20 }, () => tokens.acquire(ADELE, openDeadline()));
    await settled();

    await last().give('first');

    expect(await Promise.all(waiting)).toEqual(Array(20).fill('first'));
    expect(fetches.map(({ assertion, scope }) => [assertion, scope])).toEqual([[ADELE, SCOPE]]);
  });

  it('gives each user the own token, whatever the order of the answers', async () => {
    const { tokens, fetches } = bench();
    const waiting = [ADELE, MEGAN, ADELE].map((assertion) => tokens.acquire(assertion, openDeadline()));
    await settled();

    await fetches[1]?.give('megans');
    await fetches[0]?.give('adeles');

    expect(await Promise.all(waiting)).toEqual(['adeles', 'megans', 'adeles']);
    expect(fetches).toHaveLength(2);
  });

  it('builds the credential when the first token is wanted, and once', async () => {
    const made = bench();
    expect(made.clock.built).toBe(0);

    await Promise.all([made.ask(ADELE), made.ask(MEGAN)]);

    expect(made.clock.built).toBe(1);
  });

  it('builds the credential again where that failed', async () => {
    let attempts = 0;
    const made = bench({
      createCredential: async () => {
        attempts += 1;
        throw new Error('not yet');
      },
    });

    expect([await made.ask(ADELE), await made.ask(ADELE)]).toEqual(['TokenUnavailable', 'TokenUnavailable']);
    expect(attempts).toBe(2);
  });

  it('gives out the held token without asking, and asks again near its end', async () => {
    const made = await benchWithToken();

    made.clock.now += HOUR_MS - TOKEN_USABLE_MARGIN_MS - 1;
    expect(await made.ask(ADELE)).toBe('first');
    made.clock.now += 1;
    expect(await made.ask(ADELE)).toBe('waiting');
    await made.last().give('second');

    expect(await made.ask(ADELE)).toBe('second');
    expect(made.fetches).toHaveLength(2);
  });

  it('uses a token of short life for nine tenths of it', async () => {
    const made = await benchWithToken(60_000);

    made.clock.now += 53_999;
    expect(await made.ask(ADELE)).toBe('first');
    made.clock.now += 1;
    expect(await made.ask(ADELE)).toBe('waiting');
  });

  it('holds no token longer than the assertion that it was given for', async () => {
    const short = assertionOf('adele', 1_800_000);
    const made = await benchWithToken(HOUR_MS, short);

    made.clock.now += 1_799_999;
    expect(await made.ask(short)).toBe('first');
    made.clock.now += 1;
    expect(await made.ask(short)).toBe('waiting');
  });

  it('asks again for a new assertion of the same user', async () => {
    const made = await benchWithToken();

    expect(await made.ask(assertionOf('adele', 2 * HOUR_MS, { uti: 'new' }))).toBe('waiting');
    expect(made.fetches).toHaveLength(2);
  });

  it('declares continuous access evaluation where the client takes challenges', async () => {
    const made = bench();

    await made.ask(ADELE);
    await made.ask(assertionOf('adele', HOUR_MS, { xms_cc: ['cp1'] }));

    expect(made.fetches.map(({ options }) => options.enableCae)).toEqual([false, true]);
  });

  it('gives up the token that was used least recently where there are too many', async () => {
    const made = bench({ maxUsers: 2 });
    for (const assertion of [ADELE, MEGAN]) {
      await made.ask(assertion);
      await made.last().give(assertion);
    }
    await made.ask(ADELE);
    const third = assertionOf('third');
    await made.ask(third);
    await made.last().give(third);

    expect([await made.ask(ADELE), await made.ask(third), await made.ask(MEGAN)]).toEqual([ADELE, third, 'waiting']);
  });

  it('answers all who wait with the refusal, and asks again afterwards', async () => {
    const made = bench();
    const waiting = [1, 2].map(() => made.tokens.acquire(ADELE, openDeadline()).catch((error) => error.code));
    await settled();

    await made.last().fail({ errorCode: 'invalid_grant', errorNo: 65001 });

    expect(await Promise.all(waiting)).toEqual(['ConsentRequired', 'ConsentRequired']);
    expect(await made.ask(ADELE)).toBe('waiting');
  });

  it('tries once more where the connection failed, and no more', async () => {
    const made = bench();
    await made.ask(ADELE);
    await made.last().fail({ errorCode: 'network_error' });
    expect(made.fetches).toHaveLength(2);

    const outcome = made.tokens.acquire(ADELE, openDeadline()).catch((error) => error.code);
    await made.last().fail({ errorCode: 'network_error' });

    expect(await outcome).toBe('TokenUnavailable');
    expect(made.fetches).toHaveLength(2);
  });

  it('does not try again where the token endpoint has answered', async () => {
    const made = bench();
    await made.ask(ADELE);

    await made.last().fail({ errorCode: 'temporarily_unavailable' });

    expect(made.fetches).toHaveLength(1);
  });

  it('says that there is none where the credential gave none', async () => {
    const made = bench();
    const outcome = made.tokens.acquire(ADELE, openDeadline()).catch((error) => error.code);
    await settled();

    await made.last().giveNothing();

    expect(await outcome).toBe('TokenUnavailable');
  });

  it.each([
    ['TimedOut', 'TokenUnavailable'],
    ['CallerDisconnected', 'CallerDisconnected'],
  ] as const)('ends the wait of a request with %s as %s, and keeps the token for the next', async (reason, code) => {
    const made = bench();
    const deadline = openDeadline();
    const outcome = made.tokens.acquire(ADELE, deadline).catch((error) => error.code);
    await settled();

    deadline.pass(new ServiceError(reason, 'over'));
    expect(await outcome).toBe(code);
    await made.last().give('late');

    expect(await made.ask(ADELE)).toBe('late');
  });
});

describe('drop', () => {
  it('fetches again for a token that Graph refused, only of that user', async () => {
    const made = await benchWithToken();
    await made.ask(MEGAN);
    await made.last().give('megans');

    made.tokens.invalidate(ADELE, 'first');

    expect([await made.ask(ADELE), await made.ask(MEGAN)]).toEqual(['waiting', 'megans']);
  });

  it('keeps a newer token than the one that Graph refused', async () => {
    const made = await benchWithToken();

    made.tokens.invalidate(ADELE, 'older');

    expect(await made.ask(ADELE)).toBe('first');
  });

  it('hands a challenge of Graph to the caller, and forgets the token anyway', async () => {
    const made = await benchWithToken();
    const claims = '{"access_token":{"nbf":{"essential":true,"value":"1790000000"}}}';

    expect(() => made.tokens.invalidate(ADELE, 'first', claims)).toThrow(
      expect.objectContaining({
        code: 'InteractionRequired',
        headers: { 'www-authenticate': expect.stringContaining(Buffer.from(claims).toString('base64')) },
      }),
    );
    expect(await made.ask(ADELE)).toBe('waiting');
  });
});

import { generateKeyPairSync } from 'node:crypto';
import type { FetchImplementation, JWTVerifyGetKey } from 'jose';
import { createSigningKeys } from '../../../shared/access/signingKeys.ts';
import { JWKS_COOLDOWN_MS, JWKS_RENEW_AFTER_MS } from '../../../shared/common/limits.ts';

const URL_OF_KEYS = 'https://login.microsoftonline.com/tenant/discovery/v2.0/keys';
const TOKEN = { payload: '', signature: '' };

const JWKS = ['first', 'second'].map((kid) => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256' };
});

/** What the tenant publishes now, or how its server fails. */
let published: readonly string[] | (() => Promise<Response>);
let fetchKeys: jest.Mock<ReturnType<FetchImplementation>, Parameters<FetchImplementation>>;
let lookUp: JWTVerifyGetKey;

beforeEach(async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  published = ['first'];
  fetchKeys = jest.fn(async (..._request) => {
    if (typeof published === 'function') return published();
    const kids = published;
    return Response.json({ keys: JWKS.filter(({ kid }) => kids.includes(kid)) });
  });
  lookUp = await createSigningKeys(URL_OF_KEYS, fetchKeys);
});
afterEach(() => jest.useRealTimers());

interface Asked {
  outcome: string;
  readonly done: Promise<string>;
}

/** Looks a key up. The outcome is its id, the code of the failure, or 'waiting'. */
function ask(kid: string): Asked {
  const { promise: done, resolve } = Promise.withResolvers<string>();
  const asked: Asked = { outcome: 'waiting', done };
  const settle = (outcome: string) => {
    asked.outcome = outcome;
    resolve(outcome);
  };
  Promise.resolve(lookUp({ alg: 'RS256', kid }, TOKEN)).then(
    () => settle(kid),
    (error) => settle(error.code),
  );
  return asked;
}

/** The outcome of a look-up that waits for no clock. */
function asked(kid: string): Promise<string> {
  return ask(kid).done;
}

/** Lets the clock continue, and what is due begin: the answers of the test's own server are there within a turn of the event loop. */
async function pass(ms = 0): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms);
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const fails = () => Promise.reject(new Error('unreachable'));

describe('the signing keys of the tenant', () => {
  it('are fetched at the first look-up, from their URL, and once for all who wait', async () => {
    expect(fetchKeys).not.toHaveBeenCalled();

    const all = await Promise.all([asked('first'), asked('first'), asked('first')]);

    expect(all).toEqual(['first', 'first', 'first']);
    expect(fetchKeys.mock.calls.map(([url]) => url)).toEqual([URL_OF_KEYS]);
  });

  it('answer from memory until it is time to renew them', async () => {
    await asked('first');
    await pass(JWKS_RENEW_AFTER_MS);

    expect(await asked('first')).toBe('first');
    expect(fetchKeys).toHaveBeenCalledTimes(1);
  });

  it('are renewed in the background, once, and answer meanwhile', async () => {
    await asked('first');
    await pass(JWKS_RENEW_AFTER_MS + 1);
    published = () => new Promise(() => {});

    expect([await asked('first'), await asked('first')]).toEqual(['first', 'first']);
    expect(fetchKeys).toHaveBeenCalledTimes(2);
  });

  it.each([
    ['cannot be reached', fails],
    ['answers 500', async () => new Response('{}', { status: 500 })],
    ['answers what is no set of keys', async () => new Response('<html></html>')],
  ])('serve on where the server %s', async (_, failing) => {
    await asked('first');
    published = failing;
    await pass(JWKS_RENEW_AFTER_MS + 1);

    for (let times = 0; times < 3; times += 1) {
      expect(await asked('first')).toBe('first');
      await pass(JWKS_COOLDOWN_MS);
    }
  });

  it('that the tenant withdrew are refused after the next fetch', async () => {
    await asked('first');
    published = ['second'];
    await pass(JWKS_RENEW_AFTER_MS + 1);
    await asked('first');

    await pass();
    const old = ask('first');
    await pass(JWKS_COOLDOWN_MS);
    await pass(JWKS_COOLDOWN_MS);

    expect([await old.done, await asked('second')]).toEqual(['ERR_JWKS_NO_MATCHING_KEY', 'second']);
  });
});

describe('a key that is not known yet', () => {
  it('waits for the next fetch, no closer to the last one than the cool-down', async () => {
    await asked('first');
    published = ['first', 'second'];

    const fresh = ask('second');
    await pass(JWKS_COOLDOWN_MS - 1);
    expect([fresh.outcome, fetchKeys.mock.calls.length]).toEqual(['waiting', 1]);

    await pass(1);
    expect([await fresh.done, fetchKeys.mock.calls.length]).toEqual(['second', 2]);
  });

  it('is fetched at once after the cool-down', async () => {
    await asked('first');
    published = ['first', 'second'];
    await pass(JWKS_COOLDOWN_MS);

    expect(await asked('second')).toBe('second');
  });

  it('is found by a second fetch where the first began before it was published', async () => {
    await asked('first');
    const early = ask('second');
    await pass(JWKS_COOLDOWN_MS);
    published = ['first', 'second'];

    await pass(JWKS_COOLDOWN_MS);

    expect(await early.done).toBe('second');
  });

  it('is refused after two fetches that do not have it', async () => {
    await asked('first');

    const unknown = ask('unknown');
    await pass(JWKS_COOLDOWN_MS);
    await pass(JWKS_COOLDOWN_MS - 1);
    expect(unknown.outcome).toBe('waiting');
    await pass(1);

    expect([await unknown.done, fetchKeys.mock.calls.length]).toEqual(['ERR_JWKS_NO_MATCHING_KEY', 3]);
  });

  it('costs one fetch in each cool-down, however many are made up', async () => {
    await asked('first');

    const flood = Array.from({ length: 100 }, (_, index) => ask(`unknown-${index}`));
    await pass(JWKS_COOLDOWN_MS);
    await pass(JWKS_COOLDOWN_MS);
    const outcomes = await Promise.all(flood.map(({ done }) => done));

    expect(new Set(outcomes)).toEqual(new Set(['ERR_JWKS_NO_MATCHING_KEY']));
    expect(fetchKeys).toHaveBeenCalledTimes(3);
  });

  it('does not keep known keys waiting', async () => {
    await asked('first');
    const unknown = ask('unknown');

    expect([await asked('first'), unknown.outcome]).toEqual(['first', 'waiting']);
  });

  it('is 503 where the keys cannot be fetched', async () => {
    await asked('first');
    published = fails;

    const unknown = ask('unknown');
    await pass(JWKS_COOLDOWN_MS);

    expect(await unknown.done).toBe('SigningKeysUnavailable');
  });
});

describe('a key server that is away from the start', () => {
  it('is 503 for every token, and is asked again after the cool-down', async () => {
    published = fails;
    expect(await asked('first')).toBe('SigningKeysUnavailable');

    published = ['first'];
    const next = ask('first');
    await pass(JWKS_COOLDOWN_MS - 1);
    expect([next.outcome, fetchKeys.mock.calls.length]).toEqual(['waiting', 1]);
    await pass(1);

    expect(await next.done).toBe('first');
  });

  it('is 503 with the cause, which is for the log', async () => {
    published = fails;

    await expect(lookUp({ alg: 'RS256', kid: 'first' }, TOKEN)).rejects.toMatchObject({
      code: 'SigningKeysUnavailable',
      status: 503,
      message: 'Tokens cannot be verified at the moment.',
      cause: expect.any(Error),
    });
  });
});

import {
  MAX_TOKEN_RETRY_PAUSE_MS,
  TOKEN_REFRESH_MARGIN_MS,
  TOKEN_USABLE_MARGIN_MS,
} from '../../../shared/common/limits.ts';
import { openDeadline, settled } from '../../support/builders.ts';
import { benchWithToken, HOUR_MS, tokenBench } from '../graph/tokenBench.ts';

describe('createTokenSource', () => {
  it('asks the credential for its scope and nothing else', async () => {
    const { fetches, ask } = tokenBench();

    await ask();

    expect(fetches).toHaveLength(1);
    expect(fetches[0]).toMatchObject({ scope: 'https://graph.example/.default' });
    expect(fetches[0]?.options).not.toHaveProperty('claims');
  });

  it('fetches once however many wait, and gives all of them the token', async () => {
    const { tokens, fetches, last } = tokenBench();
    const waiting = Array.from({ length: 20 }, () => tokens.acquire(openDeadline()));
    await settled();

    await last().give('first');

    expect(await Promise.all(waiting)).toEqual(Array(20).fill('first'));
    expect(fetches).toHaveLength(1);
  });

  it('builds the credential when the first token is wanted, and once', async () => {
    const made = tokenBench();
    expect(made.clock.built).toBe(0);

    await made.ask();
    await made.last().give('first');
    made.clock.now += HOUR_MS;
    await made.ask();

    expect(made.fetches).toHaveLength(2);
    expect(made.clock.built).toBe(1);
  });

  it('gives out the held token without asking again', async () => {
    const made = await benchWithToken();

    made.clock.now += HOUR_MS - TOKEN_REFRESH_MARGIN_MS - 1;

    expect(await made.ask()).toBe('first');
    expect(made.fetches).toHaveLength(1);
  });

  it('renews in the background from the margin on, once', async () => {
    const made = await benchWithToken();
    made.clock.now += HOUR_MS - TOKEN_REFRESH_MARGIN_MS;

    expect([await made.ask(), await made.ask()]).toEqual(['first', 'first']);
    expect(made.fetches).toHaveLength(2);

    await made.last().give('second');
    expect(await made.ask()).toBe('second');
  });

  it("renews from the credential's own hint on, where it gives one", async () => {
    const made = await benchWithToken(HOUR_MS, 10_000);

    made.clock.now += 9_999;
    await made.ask();
    expect(made.fetches).toHaveLength(1);

    made.clock.now += 1;
    await made.ask();
    expect(made.fetches).toHaveLength(2);
  });

  it('continues with the valid token when the early renewal fails, and tells of the failure', async () => {
    const made = await benchWithToken();
    made.clock.now += HOUR_MS - TOKEN_REFRESH_MARGIN_MS;
    await made.ask();

    await made.last().fail();

    expect(made.failures).toHaveLength(1);
    expect(await made.ask()).toBe('first');
  });

  it('waits for a new token once the held one is near its end', async () => {
    const made = await benchWithToken();
    made.clock.now += HOUR_MS - TOKEN_USABLE_MARGIN_MS;

    expect(await made.ask()).toBe('waiting');
    await made.last().give('second');
    expect(await made.ask()).toBe('second');
  });

  it('uses a token of short life for nine tenths of it', async () => {
    const made = await benchWithToken(60_000);

    made.clock.now += 53_999;
    expect(await made.ask()).toBe('first');

    made.clock.now += 1;
    await made.last().fail();
    expect(await made.ask()).toBe('waiting');
  });

  it('does not ask again at once when the credential gives the held token once more', async () => {
    const made = await benchWithToken(HOUR_MS, 10_000);
    made.clock.now += 10_000;
    await made.ask();
    await made.last().give('first', HOUR_MS - 10_000, 0);

    await made.ask();
    expect(made.fetches).toHaveLength(2);

    made.clock.now += MAX_TOKEN_RETRY_PAUSE_MS;
    await made.ask();
    expect(made.fetches).toHaveLength(3);
  });

  it('asks again once the held token is used up, although an early renewal gave it once more a moment ago', async () => {
    const made = await benchWithToken(20_000);
    made.clock.now += 10_000;
    await made.ask();
    await made.last().give('first', 10_000);

    made.clock.now += 9_500;

    expect(await made.ask()).toBe('waiting');
    expect(made.fetches).toHaveLength(3);
  });
});

describe('drop', () => {
  it('fetches again for a token that Graph refused, with the claims that came with the refusal', async () => {
    const made = await benchWithToken();

    made.tokens.invalidate('first', '{"access_token":{}}');

    expect(await made.ask()).toBe('waiting');
    expect(made.last().options).toMatchObject({ claims: '{"access_token":{}}' });
    await made.last().give('second');
    made.clock.now += HOUR_MS;
    await made.ask();
    expect(made.last().options).not.toHaveProperty('claims');
  });

  it('keeps the claims until a fetch with them succeeds', async () => {
    const made = await benchWithToken();
    made.tokens.invalidate('first', 'claims');
    await made.ask();
    await made.last().fail();

    await made.ask();

    expect(made.last().options).toMatchObject({ claims: 'claims' });
  });

  it('keeps a newer token than the one that Graph refused', async () => {
    const made = await benchWithToken();
    made.tokens.invalidate('first');
    await made.ask();
    await made.last().give('second');

    made.tokens.invalidate('first', 'late');

    expect(await made.ask()).toBe('second');
    expect(made.fetches).toHaveLength(2);
  });

  it('asks with the claims although an early renewal without them is under way when Graph refuses', async () => {
    const made = await benchWithToken(HOUR_MS, 10_000);
    made.clock.now += 10_000;
    await made.ask();
    const [, early] = made.fetches;

    made.tokens.invalidate('first', 'claims');
    await early?.give('first', HOUR_MS - 10_000);
    await made.ask();

    expect(made.fetches.map(({ options }) => options?.claims)).toContain('claims');
  });
});

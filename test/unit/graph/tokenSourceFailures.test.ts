import { MAX_TOKEN_RETRY_PAUSE_MS, MIN_TOKEN_RETRY_PAUSE_MS, TOKEN_TIMEOUT_MS } from '../../../shared/common/limits.ts';
import { ServiceError } from '../../../shared/errors.ts';
import { createTokenSource } from '../../../shared/tokens/tokenSource.ts';
import { openDeadline, settled } from '../../support/builders.ts';
import { HOUR_MS, tokenBench } from './tokenBench.ts';

describe('createTokenSource, where no token can be had', () => {
  it('answers TokenUnavailable with the reason for the log when a fetch fails', async () => {
    const { tokens, last, failures } = tokenBench();
    const refused = new Error('AADSTS7000215');
    const waiting = expect(tokens.acquire(openDeadline())).rejects.toMatchObject({
      code: 'TokenUnavailable',
      status: 503,
      cause: refused,
      message: 'The proxy could not get its own token for Graph.',
    });
    await settled();

    await last().fail(refused);

    await waiting;
    expect(failures).toEqual([refused]);
  });

  it('answers TokenUnavailable when the credential gives nothing', async () => {
    const made = tokenBench();
    const waiting = expect(made.tokens.acquire(openDeadline())).rejects.toMatchObject({ code: 'TokenUnavailable' });
    await settled();

    await made.last().giveNothing();

    await waiting;
  });

  it('answers TokenUnavailable when the credential cannot be built, and builds it again next time', async () => {
    let built = 0;
    const tokens = createTokenSource({
      createCredential: async () => {
        built += 1;
        throw new Error('no such file');
      },
      scope: 's',
      onFailure: () => {},
    });

    await expect(tokens.acquire(openDeadline())).rejects.toMatchObject({ code: 'TokenUnavailable' });
    await expect(tokens.acquire(openDeadline())).rejects.toMatchObject({ code: 'TokenUnavailable' });

    expect(built).toBe(2);
  });

  it('pauses longer after each failure, and not at all after the first', async () => {
    const made = tokenBench();
    const pauses: number[] = [];
    for (let failure = 0; failure < 12; failure += 1) {
      await made.ask();
      await made.last().fail();
      const failedAt = made.clock.now;
      const fetches = made.fetches.length;
      while ((await made.ask()) === 'TokenUnavailable') made.clock.now += MIN_TOKEN_RETRY_PAUSE_MS;
      pauses.push(made.clock.now - failedAt);
      expect(made.fetches).toHaveLength(fetches + 1);
    }

    expect(pauses).toEqual([0, 250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
  });

  it('forgets the failures with the first success', async () => {
    const made = tokenBench();
    for (let failure = 0; failure < 4; failure += 1) {
      await made.ask();
      await made.last().fail();
      made.clock.now += MAX_TOKEN_RETRY_PAUSE_MS;
    }
    await made.ask();
    await made.last().give('first');
    made.clock.now += HOUR_MS;
    await made.ask();
    await made.last().fail();

    expect(await made.ask()).toBe('waiting');
  });

  it('ends the wait of a request at its own deadline, and lets the fetch continue for the next', async () => {
    const made = tokenBench();
    const deadline = openDeadline();
    const waiting = expect(made.tokens.acquire(deadline)).rejects.toMatchObject({
      code: 'TokenUnavailable',
      status: 503,
    });

    deadline.pass(new ServiceError('TimedOut', 'too late'));
    await waiting;
    await settled();
    await made.last().give('first');

    expect(await made.ask()).toBe('first');
    expect(made.fetches).toHaveLength(1);
  });

  it('gives up a hanging fetch after its own limit, so that the next one may start', async () => {
    const limit = new AbortController();
    const timeout = jest.spyOn(AbortSignal, 'timeout').mockReturnValueOnce(limit.signal);
    try {
      const made = tokenBench();
      const waiting = expect(made.tokens.acquire(openDeadline())).rejects.toMatchObject({ code: 'TokenUnavailable' });
      await settled();
      expect(timeout).toHaveBeenCalledWith(TOKEN_TIMEOUT_MS);

      limit.abort(new Error('timeout'));

      await waiting;
      expect(made.fetches[0]?.options?.abortSignal).toHaveProperty('aborted', true);
      expect(await made.ask()).toBe('waiting');
      expect(made.fetches).toHaveLength(2);
    } finally {
      timeout.mockRestore();
    }
  });
});

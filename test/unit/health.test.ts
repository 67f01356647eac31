import packageJson from '../../package.json' with { type: 'json' };
import { ServiceError } from '../../shared/errors.ts';
import type { TokenSource } from '../../shared/graph/tokenSource.ts';
import { liveness, readiness } from '../../shared/health.ts';
import { TOKEN_TIMEOUT_MS } from '../../shared/limits.ts';
import type { Service, StartUpFault } from '../../shared/service.ts';

const settingsFault: StartUpFault = { part: 'settings', setting: 'ENTRA_TENANT_ID', fault: 'must be a GUID' };
const policyFault: StartUpFault = { part: 'policy', setting: 'policy.json', pointer: '/callers', fault: 'is missing' };

const goodTokens: TokenSource = { acquire: async () => 'Zq7-token', drop: () => {} };
const badTokens: TokenSource = {
  acquire: async () => {
    throw new ServiceError('TokenUnavailable', 'Zq7-reason');
  },
  drop: () => {},
};

const REQUESTS = { unpaired: 0 };

const goodStorage: Service['storage'] = { check: async () => {} };
const badStorage: Service['storage'] = {
  check: async () => {
    throw new ServiceError('StorageUnavailable', 'Zq7-reason');
  },
};

function serviceOf(
  faults: StartUpFault[] = [],
  tokens: TokenSource | undefined = faults.length > 0 ? undefined : goodTokens,
  storage?: Service['storage'],
): Service {
  return {
    faults,
    tokens,
    storage,
    jobs: undefined,
    authLevel: 'function',
    runJob: undefined,
    answerUpload: () => Promise.reject(new Error('not asked for')),
    answerGraphPath: () => Promise.reject(new Error('not asked for')),
    answerPreflight: () => {
      throw new Error('not asked for');
    },
    corsAllowedOrigins: [],
    warmUp: async () => {},
    close: async () => {},
  };
}

describe('liveness', () => {
  it('says version and uptime, and asks for no token', () => {
    const tokens: TokenSource = {
      acquire: () => {
        throw new Error('asked');
      },
      drop: () => {},
    };

    const answer = liveness(serviceOf([], tokens));

    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({
      status: 'ok',
      version: packageJson.version,
      uptimeSeconds: Math.floor(process.uptime()),
    });
  });

  it.each([settingsFault, policyFault])('is red over a fault of the $part, without saying which', (fault) => {
    const answer = liveness(serviceOf([fault]));

    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.body)).toMatchObject({ status: 'misconfigured' });
    expect(answer.body).not.toContain(fault.setting);
  });
});

describe('readiness', () => {
  it('is green where settings and policy are sound and a token can be had', async () => {
    const answer = await readiness(serviceOf(), REQUESTS);

    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({
      status: 'ready',
      checks: { settings: 'ok', policy: 'ok', token: 'ok', storage: 'none', queue: 'none' },
      unpairedRequests: 0,
    });
  });

  it('asks for no token where every caller acts as its user', async () => {
    const answer = await readiness({ ...serviceOf(), tokens: undefined }, REQUESTS);

    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toHaveProperty('checks.token', 'none');
  });

  it('is green where the storage account that is set can be used', async () => {
    const answer = await readiness(serviceOf([], goodTokens, goodStorage), REQUESTS);

    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toHaveProperty('checks.storage', 'ok');
  });

  it.each([
    [
      'the settings',
      serviceOf([settingsFault]),
      { settings: 'failing', policy: 'failing', token: 'failing', storage: 'none', queue: 'none' },
    ],
    [
      'the policy',
      serviceOf([policyFault]),
      { settings: 'ok', policy: 'failing', token: 'failing', storage: 'none', queue: 'none' },
    ],
    [
      'the token',
      serviceOf([], badTokens),
      { settings: 'ok', policy: 'ok', token: 'failing', storage: 'none', queue: 'none' },
    ],
    [
      'the storage account',
      serviceOf([], goodTokens, badStorage),
      { settings: 'ok', policy: 'ok', token: 'ok', storage: 'failing', queue: 'none' },
    ],
    [
      'the queue of jobs',
      { ...serviceOf([], goodTokens, goodStorage), jobs: badStorage },
      { settings: 'ok', policy: 'ok', token: 'ok', storage: 'ok', queue: 'failing' },
    ],
  ])('says that %s fails, never why', async (_, service, checks) => {
    const answer = await readiness(service, REQUESTS);

    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.body)).toEqual({ status: 'notReady', checks, unpairedRequests: 0 });
  });

  it('shows no token', async () => {
    expect((await readiness(serviceOf(), REQUESTS)).body).not.toContain('Zq7-token');
  });

  it('leaves no timer behind once it knows', async () => {
    jest.useFakeTimers();
    try {
      await readiness(serviceOf(), REQUESTS);

      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('does not wait for a token longer than one fetch may take', async () => {
    jest.useFakeTimers();
    try {
      const hanging: TokenSource = {
        acquire: ({ signal }) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
        drop: () => {},
      };
      const asked = readiness(serviceOf([], hanging), REQUESTS);

      await jest.advanceTimersByTimeAsync(TOKEN_TIMEOUT_MS);

      expect(await asked).toHaveProperty('status', 503);
    } finally {
      jest.useRealTimers();
    }
  });
});

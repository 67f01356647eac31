import packageJson from '../../package.json' with { type: 'json' };
import { TOKEN_TIMEOUT_MS } from '../../shared/common/limits.ts';
import { ServiceError } from '../../shared/errors.ts';
import { liveness, readiness } from '../../shared/health.ts';
import type { Service, StartUpError } from '../../shared/service.ts';
import type { TokenSource } from '../../shared/tokens/tokenSource.ts';

const settingsFault: StartUpError = { part: 'settings', setting: 'ENTRA_TENANT_ID', fault: 'must be a GUID' };
const policyFault: StartUpError = { part: 'policy', setting: 'policy.json', pointer: '/callers', fault: 'is missing' };

const goodTokens: TokenSource = { acquire: async () => 'Zq7-token', invalidate: () => {} };
const badTokens: TokenSource = {
  acquire: async () => {
    throw new ServiceError('TokenUnavailable', 'Zq7-reason');
  },
  invalidate: () => {},
};

const REQUESTS = { unmatched: 0 };

const goodStorage: Service['storage'] = { check: async () => {} };
const badStorage: Service['storage'] = {
  check: async () => {
    throw new ServiceError('StorageUnavailable', 'Zq7-reason');
  },
};

function serviceOf(
  faults: StartUpError[] = [],
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
    handleUrl: () => Promise.reject(new Error('not asked for')),
    handleGraphPath: () => Promise.reject(new Error('not asked for')),
    handlePreflight: () => {
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
      invalidate: () => {},
    };

    const response = liveness(serviceOf([], tokens));

    expect(response.status).toBe(200);
    expect(JSON.parse(response.body)).toEqual({
      status: 'ok',
      version: packageJson.version,
      uptimeSeconds: Math.floor(process.uptime()),
    });
  });

  it.each([settingsFault, policyFault])('is red over a fault of the $part, without saying which', (fault) => {
    const response = liveness(serviceOf([fault]));

    expect(response.status).toBe(503);
    expect(JSON.parse(response.body)).toMatchObject({ status: 'misconfigured' });
    expect(response.body).not.toContain(fault.setting);
  });
});

describe('readiness', () => {
  it('is green where settings and policy are sound and a token can be had', async () => {
    const response = await readiness(serviceOf(), REQUESTS);

    expect(response.status).toBe(200);
    expect(JSON.parse(response.body)).toEqual({
      status: 'ready',
      checks: { settings: 'ok', policy: 'ok', token: 'ok', storage: 'none', queue: 'none' },
      unmatchedRequests: 0,
    });
  });

  it('asks for no token where every caller acts as its user', async () => {
    const response = await readiness({ ...serviceOf(), tokens: undefined }, REQUESTS);

    expect(response.status).toBe(200);
    expect(JSON.parse(response.body)).toHaveProperty('checks.token', 'none');
  });

  it('is green where the storage account that is set can be used', async () => {
    const response = await readiness(serviceOf([], goodTokens, goodStorage), REQUESTS);

    expect(response.status).toBe(200);
    expect(JSON.parse(response.body)).toHaveProperty('checks.storage', 'ok');
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
    const response = await readiness(service, REQUESTS);

    expect(response.status).toBe(503);
    expect(JSON.parse(response.body)).toEqual({ status: 'notReady', checks, unmatchedRequests: 0 });
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
        invalidate: () => {},
      };
      const asked = readiness(serviceOf([], hanging), REQUESTS);

      await jest.advanceTimersByTimeAsync(TOKEN_TIMEOUT_MS);

      expect(await asked).toHaveProperty('status', 503);
    } finally {
      jest.useRealTimers();
    }
  });
});

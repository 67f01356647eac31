import { parseConfig } from '../../../shared/config/config.ts';
import type { Environment } from '../../../shared/config/readSettings.ts';
import { configOf } from '../../support/builders.ts';

const KEY = 'a key of the tests, for their messages';
const PLATFORM_KEY = 'f'.repeat(64);
const ACCOUNT = { AzureWebJobsStorage: 'UseDevelopmentStorage=true' };
const IDENTITY = {
  AzureWebJobsStorage__blobServiceUri: 'https://a.blob.core.windows.net',
  AzureWebJobsStorage__credential: 'managedidentity',
};

describe('jobsConfig', () => {
  it.each<[string, Environment]>([
    ['no account', { JOB_KEY: KEY }],
    ['no key', ACCOUNT],
    ['an account without the address of its queues', { ...IDENTITY, JOB_KEY: KEY }],
    ['a key of the platform that is too short', { ...ACCOUNT, WEBSITE_AUTH_ENCRYPTION_KEY: 'short' }],
  ])('has no jobs with %s', (_, environment) => {
    expect(configOf(environment).jobs).toEqual({ kind: 'none' });
  });

  it.each<[string, Environment, string]>([
    ['its own key', { JOB_KEY: KEY }, KEY],
    ["the platform's key", { WEBSITE_AUTH_ENCRYPTION_KEY: PLATFORM_KEY }, PLATFORM_KEY],
    ['its own before the platform’s', { JOB_KEY: KEY, WEBSITE_AUTH_ENCRYPTION_KEY: PLATFORM_KEY }, KEY],
  ])('takes %s', (_, keys, key) => {
    expect(configOf({ ...ACCOUNT, ...keys }).jobs).toMatchObject({ kind: 'queue', key, timeoutMs: 3_600_000 });
  });

  it('takes an account that is reached with an identity', () => {
    const queue = { AzureWebJobsStorage__queueServiceUri: 'https://a.queue.core.windows.net' };

    expect(configOf({ ...IDENTITY, ...queue, JOB_KEY: KEY }).jobs.kind).toBe('queue');
  });

  it('names a key that is too short, and not the key', () => {
    const result = parseConfig({ ...ACCOUNT, JOB_KEY: 'Zq7-short' });

    expect(result).toEqual({
      kind: 'faulty',
      faults: [{ setting: 'JOB_KEY', fault: 'must have at least 32 characters' }],
    });
  });
});

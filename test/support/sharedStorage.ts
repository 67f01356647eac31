import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ACCOUNT, type Azurite } from '../../local/azurite.ts';

/** What jest's global setup has started, for the processes that run the tests. */
export interface SharedStorage {
  readonly azurite: Pick<Azurite, 'connectionString' | 'accountKey' | 'blobUrl' | 'queueUrl'>;
  /** Holds a folder for each account that is in use. */
  readonly folder: string;
}

/** The environment variable that holds it as JSON. */
export const SHARED_STORAGE = 'TEST_SHARED_STORAGE';
const MAX_ACCOUNTS = 500;

export const OTHER_ACCOUNTS: readonly string[] = Array.from(
  { length: MAX_ACCOUNTS },
  (_, index) => `${ACCOUNT}${index}`,
);

/**
 * An empty account of the Azurite that all test files share; to start one takes a second. It cannot be stopped: a test that
 * needs that starts its own.
 */
export function takeAccount(): Azurite {
  const { azurite, folder }: SharedStorage = JSON.parse(process.env[SHARED_STORAGE] ?? '');
  const account = OTHER_ACCOUNTS.find((name) => claim(join(folder, name)));
  if (account === undefined) throw new Error(`All ${MAX_ACCOUNTS} accounts are in use.`);
  const refuse = () => Promise.reject(new Error('Other tests use this Azurite too.'));
  return {
    connectionString: azurite.connectionString.replaceAll(ACCOUNT, account),
    accountKey: azurite.accountKey,
    blobUrl: azurite.blobUrl.replace(ACCOUNT, account),
    queueUrl: azurite.queueUrl.replace(ACCOUNT, account),
    restart: refuse,
    stop: refuse,
  };
}

/** False if another test file has it, in this process or another. */
function claim(folder: string): boolean {
  return mkdirSync(folder, { recursive: true }) !== undefined;
}

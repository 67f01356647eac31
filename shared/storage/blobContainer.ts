import type { TokenCredential } from '@azure/identity';
import type { ContainerClient } from '@azure/storage-blob';
import { abortable } from '../common/deadline.ts';
import { lazy } from '../common/lazy.ts';
import { STORAGE_ATTEMPTS, STORAGE_RETRY_DELAY_MS, STORAGE_TIMEOUT_MS } from '../common/limits.ts';
import type { StorageConfig, StorageCredentialConfig } from '../config/storageConfig.ts';
import { ServiceError } from '../errors.ts';
import { createIdentityCredential } from '../tokens/identityCredential.ts';
import {
  isContainerThere,
  type StorageProblem,
  storageNotConfigured,
  storageProblemOf,
  storageUnavailable,
} from './storageErrors.ts';

/** infra/app/storage.bicep makes it, with the rule that deletes what is old. */
export const UPLOAD_CONTAINER = 'upload-sessions';

type Operation<T> = (container: ContainerClient, signal: AbortSignal) => Promise<T>;

export type Outcome<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: StorageProblem };

/** The container of all records, in the storage account of the settings. Nothing is loaded or opened before it is used. */
export interface UploadContainer {
  /**
   * Runs one operation of the store within STORAGE_TIMEOUT_MS.
   * @throws ServiceError StorageUnavailable; StorageNotConfigured where there is no account
   */
  run<T>(operation: Operation<T>): Promise<Outcome<T>>;
  /** The same, but makes the container where it is missing. */
  runWriting<T>(operation: Operation<T>): Promise<Outcome<T>>;
  /** Writes a blob, so that it finds out whether the app may and whether there is room. @throws as `run` does */
  check(): Promise<void>;
  /** Whether the settings name an account. */
  readonly isConfigured: boolean;
}

/** @param onFailure is called with the reason why the store could not be used, for the log */
export function createUploadContainer(config: StorageConfig, onFailure: (error: unknown) => void): UploadContainer {
  const client = lazy(() => createClient(config));

  async function run<T>(operation: Operation<T>): Promise<Outcome<T>> {
    const signal = AbortSignal.timeout(STORAGE_TIMEOUT_MS);
    try {
      const work = client().then((container) => operation(container, signal));
      return { kind: 'done', value: await abortable(work, signal) };
    } catch (error) {
      const obstacle = storageProblemOf(error);
      if (obstacle !== undefined) return { kind: obstacle };
      if (error instanceof ServiceError) throw error;
      const failure = storageUnavailable(error);
      onFailure(failure);
      throw failure;
    }
  }

  async function runWriting<T>(operation: Operation<T>): Promise<Outcome<T>> {
    const outcome = await run(operation);
    if (outcome.kind !== 'noContainer') return outcome;
    await run((container, abortSignal) => createContainer(container, abortSignal));
    return run(operation);
  }

  return {
    run,
    runWriting,
    isConfigured: config.kind !== 'none',
    async check() {
      await runWriting((container, abortSignal) =>
        container.getBlockBlobClient('readiness').upload('ok', 2, { abortSignal }),
      );
    },
  };
}

async function createContainer(container: ContainerClient, abortSignal: AbortSignal): Promise<void> {
  try {
    await container.create({ abortSignal });
  } catch (error) {
    if (!isContainerThere(error)) throw error; // Another instance was faster.
  }
}

async function createClient(config: StorageConfig): Promise<ContainerClient> {
  if (config.kind === 'none') {
    throw storageNotConfigured();
  }
  const { ContainerClient } = await import('./storageLibrary.ts');
  const options = { retryOptions: { maxTries: STORAGE_ATTEMPTS, retryDelayInMs: STORAGE_RETRY_DELAY_MS } };
  return config.kind === 'connectionString'
    ? new ContainerClient(config.connectionString, UPLOAD_CONTAINER, options)
    : new ContainerClient(
        `${config.blobServiceUri}/${UPLOAD_CONTAINER}`,
        await createStorageCredential(config.credential),
        options,
      );
}

/** Loads @azure/identity. */
export function createStorageCredential(config: StorageCredentialConfig): Promise<TokenCredential> {
  return createIdentityCredential(config);
}

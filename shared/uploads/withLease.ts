import type { UploadLease, UploadStore } from './uploadStore.ts';

export interface LeaseOptions {
  readonly renewEveryMs: number;
  /** Called when a renewal finds that another holds the lease, or nobody. */
  readonly onLost?: () => void;
}

/**
 * Runs work under a lease that has been acquired: renews it meanwhile, and releases it however the work ends.
 *
 * @throws what the work throws; a renewal or release that fails is no error, since the lease ends by itself and the next write
 *   under a lost lease is a conflict
 */
export async function withLease<T>(
  store: Pick<UploadStore, 'renewLease' | 'releaseLease'>,
  lease: UploadLease,
  { renewEveryMs, onLost = () => {} }: LeaseOptions,
  work: () => Promise<T>,
): Promise<T> {
  const renewal = setInterval(async () => {
    const isHeld = await store.renewLease(lease).catch(() => true);
    if (!isHeld) onLost();
  }, renewEveryMs);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    await store.releaseLease(lease).catch(() => {});
  }
}

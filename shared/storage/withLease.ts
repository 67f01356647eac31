import type { RecordLease, RecordStore } from './recordStore.ts';

export interface LeaseOptions {
  readonly renewEveryMs: number;
  /** Called if a renewal finds that the lease is lost. */
  readonly onLost?: () => void;
}

/**
 * Runs work under an acquired lease: renews the lease meanwhile and releases it on every path.
 *
 * @throws what the work throws; a renewal or release that fails is no error, since the lease ends by itself and the next write
 *   under a lost lease is a conflict
 */
export async function withLease<T>(
  store: Pick<RecordStore<unknown>, 'renewLease' | 'releaseLease'>,
  lease: RecordLease,
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

import type { RecordLease } from '../../../shared/storage/recordStore.ts';
import { withLease } from '../../../shared/storage/withLease.ts';
import type { UploadRecord } from '../../../shared/uploads/uploadRecord.ts';
import { createMemoryRecords, type MemoryRecords } from '../../support/memoryRecords.ts';
import { uploadRecordOf } from '../../support/uploadRecords.ts';

const RENEW_MS = 5_000;

let uploads: MemoryRecords<UploadRecord>;
let lease: RecordLease;

beforeEach(async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  uploads = createMemoryRecords();
  const { id } = await uploads.create(uploadRecordOf());
  const acquired = await uploads.acquireLease(id, 15);
  if (acquired === undefined) throw new Error('There is no lease.');
  lease = acquired;
});
afterEach(() => jest.useRealTimers());

/** Work that ends when the test says so. */
function workFor(options: Partial<Parameters<typeof withLease>[2]> = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const done = withLease(uploads, lease, { renewEveryMs: RENEW_MS, ...options }, () => promise);
  return { done, resolve, reject };
}

describe('withLease', () => {
  it('holds the lease while the work goes on, however long', async () => {
    const { done, resolve } = workFor();

    for (let ms = 0; ms < 60_000; ms += 1_000) {
      await jest.advanceTimersByTimeAsync(1_000);
      expect(uploads.isLeased(lease.id)).toBe(true);
    }

    resolve('done');
    expect(await done).toBe('done');
  });

  it('releases the lease and leaves no timer when the work ends', async () => {
    const { done, resolve } = workFor();
    resolve('done');

    await done;

    expect([uploads.isLeased(lease.id), jest.getTimerCount()]).toEqual([false, 0]);
  });

  it('releases the lease and leaves no timer when the work fails', async () => {
    const { done, reject } = workFor();
    reject(new Error('broken'));

    await expect(done).rejects.toThrow('broken');
    expect([uploads.isLeased(lease.id), jest.getTimerCount()]).toEqual([false, 0]);
  });

  it('does the same where the work fails before it has begun', async () => {
    const work = () => {
      throw new Error('at once');
    };

    await expect(withLease(uploads, lease, { renewEveryMs: RENEW_MS }, work)).rejects.toThrow('at once');
    expect([uploads.isLeased(lease.id), jest.getTimerCount()]).toEqual([false, 0]);
  });

  it('tells of a lease that is lost, at the next renewal', async () => {
    const onLost = jest.fn();
    const { done, resolve } = workFor({ onLost });
    await uploads.breakLease(lease.id);

    await jest.advanceTimersByTimeAsync(RENEW_MS - 1);
    expect(onLost).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    expect(onLost).toHaveBeenCalledTimes(1);

    resolve('done');
    await done;
  });

  it('does not take a renewal that fails for a loss', async () => {
    const onLost = jest.fn();
    const { done, resolve } = workFor({ onLost });
    uploads.failures.set('renewLease', new Error('down'));

    await jest.advanceTimersByTimeAsync(3 * RENEW_MS);

    expect(onLost).not.toHaveBeenCalled();
    resolve('done');
    expect(await done).toBe('done');
  });

  it('gives what the work gave where the release fails', async () => {
    uploads.failures.set('releaseLease', new Error('down'));
    const { done, resolve } = workFor();
    resolve('done');

    expect(await done).toBe('done');
  });
});

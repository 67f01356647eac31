import { MAX_RECORD_READS, MAX_WAITING_RECORD_READS } from '../../../shared/common/limits.ts';
import type { UploadContainer } from '../../../shared/storage/blobContainer.ts';
import { createSecret, formatSecret } from '../../../shared/storage/seal.ts';
import { createUploadStore } from '../../../shared/uploads/uploadRecord.ts';

/** A container that knows no blob and answers only when it is told to. */
function createSlowContainer() {
  const unanswered: (() => void)[] = [];
  let calls = 0;
  const run: UploadContainer['run'] = () => {
    calls += 1;
    return new Promise((resolve) => unanswered.push(() => resolve({ kind: 'noBlob' })));
  };
  return {
    container: { run, runWriting: run, check: async () => {}, isConfigured: true } satisfies UploadContainer,
    get calls() {
      return calls;
    },
    answer() {
      for (const each of unanswered.splice(0)) each();
    },
  };
}

const unknownId = () => formatSecret(createSecret());

/** Lets everything run that waits for no event from outside. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('createUploadStore', () => {
  it('asks the account for a bounded number of unknown ids at once', async () => {
    const slow = createSlowContainer();
    const store = createUploadStore(slow.container);

    const reads = Promise.all(Array.from({ length: 3 * MAX_RECORD_READS }, () => store.read(unknownId())));
    await settle();
    const callsAtFirst = slow.calls;
    for (let rounds = 0; rounds < 3; rounds += 1) {
      slow.answer();
      await settle();
    }

    expect(callsAtFirst).toBe(MAX_RECORD_READS);
    expect(slow.calls).toBe(3 * MAX_RECORD_READS);
    expect(new Set(await reads)).toEqual(new Set([undefined]));
  });

  it('refuses a read with StorageUnavailable if too many reads wait', async () => {
    const slow = createSlowContainer();
    const store = createUploadStore(slow.container);
    const reads = Array.from({ length: MAX_RECORD_READS + MAX_WAITING_RECORD_READS }, () => store.read(unknownId()));
    await settle();

    await expect(store.read(unknownId())).rejects.toMatchObject({ code: 'StorageUnavailable' });
    for (let rounds = 0; rounds * MAX_RECORD_READS < reads.length; rounds += 1) {
      slow.answer();
      await settle();
    }
    await Promise.all(reads);
  });

  it('refuses a read with StorageUnavailable if it has waited for the time of one operation', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    const timeout = jest.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(new DOMException('', 'TimeoutError')), ms);
      return controller.signal;
    });
    try {
      const slow = createSlowContainer();
      const store = createUploadStore(slow.container);
      const reads = Array.from({ length: MAX_RECORD_READS }, () => store.read(unknownId()));
      const late = expect(store.read(unknownId())).rejects.toMatchObject({ code: 'StorageUnavailable' });
      await settle();

      await jest.advanceTimersByTimeAsync(5_000);
      await late;
      slow.answer();
      await Promise.all(reads);
    } finally {
      timeout.mockRestore();
      jest.useRealTimers();
    }
  });

  it('asks the account for nothing if the id is malformed', async () => {
    const slow = createSlowContainer();

    expect(await createUploadStore(slow.container).read('not-an-id')).toBeUndefined();
    expect(slow.calls).toBe(0);
  });
});

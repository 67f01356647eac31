import {
  acquireKey,
  type IdempotencyLease,
  type StoredResponse,
} from '../../../shared/idempotency/idempotencyStore.ts';
import type { SealedBlobs } from '../../../shared/storage/sealedBlobs.ts';
import { memoryBlobs } from '../../support/memoryBlobs.ts';

const ANSWER: StoredResponse = { status: 201, headers: {}, body: '{"id":"a"}' };
const LOST_AFTER_MS = 60_000;
const DAY_MS = 86_400_000;

let blobs: SealedBlobs;

beforeEach(() => {
  blobs = memoryBlobs();
  jest.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => jest.useRealTimers());

function claim(fingerprint = 'file', key = ['caller', 'key']) {
  return acquireKey(blobs, key, fingerprint, LOST_AFTER_MS);
}

async function turn(fingerprint?: string): Promise<IdempotencyLease> {
  const claimed = await claim(fingerprint);
  if (claimed.kind !== 'turn') throw new Error(`It is ${claimed.kind}.`);
  return claimed;
}

describe('acquireKey', () => {
  it('gives the first request its turn, and no other meanwhile', async () => {
    expect(await claim()).toMatchObject({ kind: 'turn', mayBeDoneSince: undefined });
    expect(await claim()).toEqual({ kind: 'underWay' });
    expect(await claim('file', ['another caller', 'key'])).toMatchObject({ kind: 'turn' });
  });

  it('gives the kept answer for a day, and only to the same request', async () => {
    await (await turn()).keep(ANSWER);

    jest.advanceTimersByTime(DAY_MS);
    expect(await claim()).toMatchObject({ kind: 'answered', answer: ANSWER });
    expect(await claim('another file')).toEqual({ kind: 'otherRequest' });
    jest.advanceTimersByTime(1);
    expect(await claim('another file')).toMatchObject({ kind: 'turn', mayBeDoneSince: undefined });
  });

  it('knows another request while the first is under way, also once that is lost', async () => {
    await turn();

    expect(await claim('another file')).toEqual({ kind: 'otherRequest' });
    jest.advanceTimersByTime(LOST_AFTER_MS + 1);
    expect(await claim('another file')).toEqual({ kind: 'otherRequest' });
  });

  it('gives the turn on after a failure, to another request too', async () => {
    await (await turn()).release(false);

    expect(await claim('another file')).toMatchObject({ kind: 'turn', mayBeDoneSince: undefined });
  });

  it('says since when the work may be done where a turn failed without knowing, or was lost', async () => {
    await (await turn()).release(true);
    jest.advanceTimersByTime(5_000);
    const second = await turn();
    expect(second.mayBeDoneSince).toBe(1_000_000);

    jest.advanceTimersByTime(LOST_AFTER_MS + 1);
    const third = await turn();
    expect(third.mayBeDoneSince).toBe(1_000_000);

    await third.release(false);
    expect((await turn()).mayBeDoneSince).toBe(1_000_000);
  });

  it('says since when Graph has refused the whole file, only to the same request', async () => {
    await (await turn()).release(false, 1_000_500);
    const second = await turn();
    expect(second).toMatchObject({ mayBeDoneSince: undefined, refusedSince: 1_000_500 });

    await second.release(false, 1_009_000);
    expect((await turn('another file')).refusedSince).toBeUndefined();
  });

  it('does not say so to another request', async () => {
    await (await turn()).release(true);

    expect((await turn('another file')).mayBeDoneSince).toBeUndefined();
  });

  it('takes no answer from a turn that was lost and came back', async () => {
    const lost = await turn();
    jest.advanceTimersByTime(LOST_AFTER_MS + 1);
    await turn();

    await lost.keep(ANSWER);

    expect(await claim()).toEqual({ kind: 'underWay' });
  });

  it('claims again where a kept answer no longer holds', async () => {
    await (await turn()).keep(ANSWER);
    const answered = await claim();

    expect(answered.kind === 'answered' && (await answered.claimAnew())).toMatchObject({ kind: 'turn' });
    expect(await claim()).toEqual({ kind: 'underWay' });
  });

  const RECORD = { startedAt: 1_000_000, fingerprint: 'file', state: { kind: 'answered', answer: ANSWER } };

  /** Claims a key of which the store has this record; `replace` says whether it may be taken. */
  function claimOver(record: unknown, replace: SealedBlobs['replace']) {
    const content = Buffer.from(JSON.stringify(record));
    const read = async () => ({ etag: '1', content, isLeased: false });
    return acquireKey({ ...blobs, create: async () => undefined, read, replace }, ['key'], 'file', LOST_AFTER_MS);
  }

  it.each([
    ['answered', RECORD],
    ['answered', { ...RECORD, mayBeDoneSince: 5 }],
    ['underWay', { ...RECORD, state: { kind: 'underWay' } }],
    ['turn', { ...RECORD, state: { kind: 'free' } }],
  ])('gives %s for the record %j', async (kind, record) => {
    expect(await claimOver(record, async () => '2')).toMatchObject({ kind });
  });

  it.each([
    null,
    5,
    'text',
    [],
    {},
    { ...RECORD, startedAt: undefined },
    { ...RECORD, startedAt: '1000000' },
    { ...RECORD, fingerprint: undefined },
    { ...RECORD, fingerprint: 7 },
    { ...RECORD, mayBeDoneSince: '5' },
    { ...RECORD, mayBeDoneSince: null },
    { ...RECORD, state: undefined },
    { ...RECORD, state: null },
    { ...RECORD, state: 'free' },
    { ...RECORD, state: {} },
    { ...RECORD, state: { kind: 'done' } },
    { ...RECORD, state: { kind: 'answered' } },
    { ...RECORD, state: { kind: 'answered', answer: null } },
    { ...RECORD, state: { kind: 'answered', answer: 'text' } },
    { ...RECORD, state: { kind: 'answered', answer: { ...ANSWER, status: undefined } } },
    { ...RECORD, state: { kind: 'answered', answer: { ...ANSWER, status: '201' } } },
    { ...RECORD, state: { kind: 'answered', answer: { ...ANSWER, headers: undefined } } },
    { ...RECORD, state: { kind: 'answered', answer: { ...ANSWER, headers: 'location' } } },
    { ...RECORD, state: { kind: 'answered', answer: { ...ANSWER, body: undefined } } },
    { ...RECORD, state: { kind: 'answered', answer: { ...ANSWER, body: {} } } },
  ])('takes nothing from the damaged record %j, and writes nothing over it', async (record) => {
    const replace = jest.fn();

    await expect(claimOver(record, replace)).rejects.toMatchObject({ code: 'StorageUnavailable' });
    expect(replace).not.toHaveBeenCalled();
  });

  it('fails as the store does where what is there cannot be read', async () => {
    await expect(acquireKey({ ...blobs, create: async () => undefined }, ['a'], 'file', 1)).rejects.toMatchObject({
      code: 'StorageUnavailable',
    });
  });
});

import { randomUUID } from 'node:crypto';
import {
  RecordConflict,
  type RecordLease,
  type RecordStore,
  type StoredRecord,
} from '../../shared/storage/recordStore.ts';

/** Records and leases in memory, on the conditions of the real store. Its clock is `Date.now`. */
export interface MemoryRecords<R> extends RecordStore<R> {
  /** The names of the functions that were called, in order. */
  readonly calls: (keyof RecordStore<unknown>)[];
  /** Each of these functions fails with its error until it is removed. */
  readonly failures: Map<keyof RecordStore<unknown>, Error>;
  recordOf(id: string): R;
  isLeased(id: string): boolean;
  /** Changes a record as another instance does: anyone who has read it before gets a conflict. */
  change(id: string, changes: Partial<R>): void;
}

interface Entry<R> {
  etag: number;
  record: R;
  lease: { readonly id: string; readonly durationMs: number; endsAt: number } | undefined;
}

export function createMemoryRecords<R>(): MemoryRecords<R> {
  const entries = new Map<string, Entry<R>>();
  const calls: (keyof RecordStore<unknown>)[] = [];
  const failures = new Map<keyof RecordStore<unknown>, Error>();

  async function called(name: keyof RecordStore<unknown>): Promise<void> {
    calls.push(name);
    const failure = failures.get(name);
    if (failure !== undefined) throw failure;
  }

  /** The lease that is held now. */
  function leaseOf(id: string): Entry<R>['lease'] {
    const lease = entries.get(id)?.lease;
    return lease !== undefined && Date.now() < lease.endsAt ? lease : undefined;
  }

  function isHeldBy({ id, leaseId }: RecordLease): boolean {
    return leaseOf(id)?.id === leaseId;
  }

  function shown(id: string): StoredRecord<R> | undefined {
    const entry = entries.get(id);
    const isLeased = leaseOf(id) !== undefined;
    return entry && { id, etag: String(entry.etag), record: entry.record, isLeased };
  }

  function entryOf(id: string): Entry<R> {
    const entry = entries.get(id);
    if (entry === undefined) throw new Error(`There is no record ${id}.`);
    return entry;
  }

  return {
    calls,
    failures,
    recordOf: (id) => entryOf(id).record,
    isLeased: (id) => leaseOf(id) !== undefined,
    change(id, changes) {
      const entry = entryOf(id);
      entry.etag += 1;
      entry.record = { ...entry.record, ...changes };
    },
    async create(record) {
      await called('create');
      const id = randomUUID();
      entries.set(id, { etag: 1, record, lease: undefined });
      return { id, etag: '1', record, isLeased: false };
    },
    async read(id) {
      await called('read');
      return shown(id);
    },
    async write({ id, etag }, record, lease) {
      await called('write');
      const entry = entryOf(id);
      const isHeld = lease === undefined ? leaseOf(id) === undefined : isHeldBy(lease);
      if (String(entry.etag) !== etag || !isHeld) throw new RecordConflict('The record is not as it was read.');
      entry.etag += 1;
      entry.record = record;
      return { id, etag: String(entry.etag), record, isLeased: lease !== undefined };
    },
    async acquireLease(id, seconds) {
      await called('acquireLease');
      const entry = entries.get(id);
      if (entry === undefined || leaseOf(id) !== undefined) return undefined;
      const durationMs = seconds * 1000;
      entry.lease = { id: randomUUID(), durationMs, endsAt: Date.now() + durationMs };
      return { id, leaseId: entry.lease.id };
    },
    async renewLease(lease) {
      await called('renewLease');
      const held = leaseOf(lease.id);
      if (held === undefined || !isHeldBy(lease)) return false;
      held.endsAt = Date.now() + held.durationMs;
      return true;
    },
    async releaseLease(lease) {
      await called('releaseLease');
      if (isHeldBy(lease)) entryOf(lease.id).lease = undefined;
    },
    async breakLease(id) {
      await called('breakLease');
      const entry = entries.get(id);
      if (entry !== undefined) entry.lease = undefined;
    },
  };
}

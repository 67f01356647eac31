import { createConcurrencyLimiter } from '../common/concurrencyLimiter.ts';
import { MAX_RECORD_READS, MAX_WAITING_RECORD_READS, STORAGE_TIMEOUT_MS } from '../common/limits.ts';
import type { UploadContainer } from './blobContainer.ts';
import { createSecret, formatSecret, type Purpose, parseSecret, secretOf } from './seal.ts';
import { createSealedBlobs, type SealedBlob } from './sealedBlobs.ts';
import { storageUnavailable } from './storageErrors.ts';

export interface StoredRecord<R> {
  /** 43 characters of base64url. Anyone who knows it may continue the upload or job: it must not reach a log. */
  readonly id: string;
  readonly etag: string;
  readonly record: R;
  /** Whether someone had the lease when this was read or written. */
  readonly isLeased: boolean;
}

/** One owner at a time, for a while: only it can write the record. */
export interface RecordLease {
  readonly id: string;
  readonly leaseId: string;
}

/**
 * Records that all instances share, each sealed under its own id. Every function throws ServiceError StorageUnavailable (503) if
 * the store is broken, full, slow or denies access, and StorageNotConfigured (501) if no account is set.
 */
export interface RecordStore<R> {
  /** Makes the id. */
  create(record: R): Promise<StoredRecord<R>>;
  /** Undefined: malformed, unknown, changed or expired; nothing shows which. */
  read(id: string): Promise<StoredRecord<R> | undefined>;
  /**
   * Replaces exactly what was read or written last.
   * @param lease required while this process has it
   * @throws RecordConflict if another was faster or has the lease
   */
  write(stored: StoredRecord<R>, record: R, lease?: RecordLease): Promise<StoredRecord<R>>;
  /** Undefined if another has it, or the record does not exist. @param seconds 15 to 60 */
  acquireLease(id: string, seconds: number): Promise<RecordLease | undefined>;
  /** Restarts the time of the lease; false if it is lost. */
  renewLease(lease: RecordLease): Promise<boolean>;
  /** Does nothing if the lease is lost. */
  releaseLease(lease: RecordLease): Promise<void>;
  /** Takes the lease from its owner, whose next write is then a RecordConflict. */
  breakLease(id: string): Promise<void>;
}

/** The record is not as it was read: another has written it, or has its lease. */
export class RecordConflict extends Error {
  override readonly name = 'RecordConflict';
}

export interface RecordStoreOptions<R> {
  readonly purpose: Purpose;
  /** Rejects, among others, the records of another version of the app. */
  readonly isRecord: (value: unknown) => value is R;
  /** @param now epoch milliseconds */
  readonly isExpired: (record: R, now: number) => boolean;
}

export function createRecordStore<R>(
  container: UploadContainer,
  { purpose, isRecord, isExpired }: RecordStoreOptions<R>,
  now: () => number = Date.now,
): RecordStore<R> {
  const blobs = createSealedBlobs(container, purpose);
  const busy = () => storageUnavailable(new Error('Too many reads of records are waiting.'));
  const reads = createConcurrencyLimiter(MAX_WAITING_RECORD_READS, MAX_RECORD_READS, busy);

  /** Anyone can cause a read with an id of the right form, so the reads of one instance are bounded. */
  async function readBlob(secret: Buffer): Promise<SealedBlob | undefined> {
    const leave = await reads.enter('', AbortSignal.timeout(STORAGE_TIMEOUT_MS)).catch(() => {
      throw busy();
    });
    return blobs.read(secret).finally(leave);
  }

  return {
    async create(record) {
      const secret = createSecret();
      const etag = await blobs.create(secret, format(record));
      if (etag === undefined) throw storageUnavailable(new Error('The store did not take a new record.'));
      return { id: formatSecret(secret), etag, record, isLeased: false };
    },
    async read(id) {
      const secret = parseSecret(id);
      const blob = secret && (await readBlob(secret));
      const record: unknown = blob && JSON.parse(blob.content.toString());
      if (blob === undefined || !isRecord(record) || isExpired(record, now())) return undefined;
      return { id, etag: blob.etag, record, isLeased: blob.isLeased };
    },
    async write({ id, etag }, record, lease) {
      const newEtag = await blobs.replace(secretOf(id), etag, format(record), lease?.leaseId);
      if (newEtag === undefined) throw new RecordConflict('The record is not as it was read.');
      return { id, etag: newEtag, record, isLeased: lease !== undefined };
    },
    async acquireLease(id, seconds) {
      const secret = parseSecret(id);
      const leaseId = secret && (await blobs.acquireLease(secret, seconds));
      return leaseId === undefined ? undefined : { id, leaseId };
    },
    renewLease: ({ id, leaseId }) => blobs.renewLease(secretOf(id), leaseId),
    releaseLease: ({ id, leaseId }) => blobs.releaseLease(secretOf(id), leaseId),
    async breakLease(id) {
      const secret = parseSecret(id);
      if (secret) await blobs.breakLease(secret);
    },
  };
}

function format(record: unknown): Buffer {
  return Buffer.from(JSON.stringify(record));
}

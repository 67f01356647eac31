import { MAX_RECORD_READS, MAX_WAITING_RECORD_READS, STORAGE_TIMEOUT_MS } from '../common/limits.ts';
import { createConcurrencyLimiter } from '../graph/concurrencyLimiter.ts';
import type { UploadContainer } from '../storage/blobContainer.ts';
import { createSecret, formatSecret, parseSecret, secretOf } from '../storage/seal.ts';
import { createSealedBlobs, type SealedBlob } from '../storage/sealedBlobs.ts';
import { storageUnavailable } from '../storage/storageErrors.ts';
import { isPastEnd, parseUploadRecord, type UploadRecord } from './uploadRecord.ts';

export interface StoredUpload {
  /** 43 characters of base64url. Whoever knows it may go on with the upload: it must not reach a log. */
  readonly id: string;
  readonly etag: string;
  readonly record: UploadRecord;
  /** Whether someone held the lease when this was read or written. */
  readonly isLeased: boolean;
}

/** One holder at a time, for a while: only it can write the record. */
export interface UploadLease {
  readonly id: string;
  readonly leaseId: string;
}

/**
 * The records of uploads, shared by all instances. Every function throws ServiceError StorageUnavailable (503) where the
 * store is broken, full, slow or refuses the app, and StorageNotConfigured (501) where no account is set.
 */
export interface UploadStore {
  /** Makes the id. */
  create(record: UploadRecord): Promise<StoredUpload>;
  /**
   * Undefined: malformed, unknown, changed or past its end; nothing shows which.
   * @param options.isEndIgnored gives a record whose session at Graph has ended, for a day after its creation at most
   */
  read(id: string, options?: { readonly isEndIgnored: boolean }): Promise<StoredUpload | undefined>;
  /**
   * Writes over exactly what was read or written last.
   * @param lease to be given while this process holds it
   * @throws UploadConflict where another was faster or holds the lease
   */
  write(stored: StoredUpload, record: UploadRecord, lease?: UploadLease): Promise<StoredUpload>;
  /** Undefined where another holds it, or there is no such upload. @param seconds 15 to 60 */
  acquireLease(id: string, seconds: number): Promise<UploadLease | undefined>;
  /** Holds the lease for its whole time again; false where it is lost. */
  renewLease(lease: UploadLease): Promise<boolean>;
  /** Does nothing where the lease is lost. */
  releaseLease(lease: UploadLease): Promise<void>;
  /** Takes the lease from whoever holds it: their next write is an UploadConflict. */
  breakLease(id: string): Promise<void>;
}

/** The record is not as it was read: another has written it, or holds it. */
export class UploadConflict extends Error {
  override readonly name = 'UploadConflict';
}

/** @param now gives epoch milliseconds */
export function createUploadStore(container: UploadContainer, now: () => number = Date.now): UploadStore {
  const blobs = createSealedBlobs(container, 'upload');
  const busy = () => storageUnavailable(new Error('Too many reads of upload records are waiting.'));
  const reads = createConcurrencyLimiter(MAX_WAITING_RECORD_READS, MAX_RECORD_READS, busy);

  /** Anyone can cause a read with an id of the right form, so that the reads of one instance are bounded. */
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
    async read(id, options) {
      const secret = parseSecret(id);
      const blob = secret && (await readBlob(secret));
      const record = blob && parseUploadRecord(JSON.parse(blob.content.toString()));
      if (blob === undefined || record === undefined) return undefined;
      const end = options?.isEndIgnored ? { ...record, session: undefined } : record;
      return isPastEnd(end, now()) ? undefined : { id, etag: blob.etag, record, isLeased: blob.isLeased };
    },
    async write({ id, etag }, record, lease) {
      const newEtag = await blobs.replace(secretOf(id), etag, format(record), lease?.leaseId);
      if (newEtag === undefined) throw new UploadConflict('The record is not as it was read.');
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

function format(record: UploadRecord): Buffer {
  return Buffer.from(JSON.stringify(record));
}

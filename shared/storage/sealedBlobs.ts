import type { ContainerClient } from '@azure/storage-blob';
import { MAX_RECORD_BYTES } from '../common/limits.ts';
import type { UploadContainer } from './blobContainer.ts';
import { nameOf, type Purpose, seal, unseal } from './seal.ts';

export interface SealedBlob {
  /** Of this state of the blob: the next write or lease under another one is refused. */
  readonly etag: string;
  readonly content: Buffer;
  readonly isLeased: boolean;
}

/**
 * Small texts in the store, each under a name and a key that its secret of 32 bytes gives (seal.ts). Every function throws
 * ServiceError StorageUnavailable where the store is broken, and StorageNotConfigured where there is none.
 */
export interface SealedBlobs {
  /** Undefined: there is none, or what is there was not sealed with this secret for this purpose. */
  read(secret: Buffer): Promise<SealedBlob | undefined>;
  /** The new blob's etag; undefined where there is one already. */
  create(secret: Buffer, content: Buffer): Promise<string | undefined>;
  /**
   * The new etag; undefined where the blob is no longer at this etag, is gone, or is leased by another.
   * @param leaseId to be given while the blob is leased
   */
  replace(secret: Buffer, etag: string, content: Buffer, leaseId?: string): Promise<string | undefined>;
  /** The lease's id; undefined where another holds the blob or there is none. @param seconds 15 to 60 */
  acquireLease(secret: Buffer, seconds: number): Promise<string | undefined>;
  /** Holds the lease for its whole time again; false where it is lost. */
  renewLease(secret: Buffer, leaseId: string): Promise<boolean>;
  /** Does nothing where the lease is lost. */
  releaseLease(secret: Buffer, leaseId: string): Promise<void>;
  /** Takes the lease from whoever holds it. */
  breakLease(secret: Buffer): Promise<void>;
}

export function createSealedBlobs(container: UploadContainer, purpose: Purpose): SealedBlobs {
  async function download(secret: Buffer): Promise<StoredBytes | undefined> {
    const outcome = await container.run((client, signal) => downloadSmall(client, nameOf(secret), signal));
    return outcome.kind === 'done' ? outcome.value : undefined;
  }

  async function write(secret: Buffer, content: Buffer, conditions: Conditions): Promise<string | undefined> {
    const sealed = seal(content, secret, purpose);
    const outcome = await container.runWriting(async (client, abortSignal) => {
      const blob = client.getBlockBlobClient(nameOf(secret));
      const { etag } = await blob.upload(sealed, sealed.length, { conditions, abortSignal });
      return etag;
    });
    if (outcome.kind === 'done' && outcome.value !== undefined) return outcome.value;
    // A write whose answer was lost is refused when the client repeats it. No two sealed texts are equal: if this one is
    // there, it is that write.
    const current = outcome.kind === 'conflict' ? await download(secret) : undefined;
    return current?.bytes.equals(sealed) ? current.etag : undefined;
  }

  const lease = (client: ContainerClient, secret: Buffer, leaseId?: string) =>
    client.getBlobClient(nameOf(secret)).getBlobLeaseClient(leaseId);

  return {
    async read(secret) {
      const stored = await download(secret);
      const content = stored && unseal(stored.bytes, secret, purpose);
      return content && { etag: stored.etag, content, isLeased: stored.isLeased };
    },
    create: (secret, content) => write(secret, content, { ifNoneMatch: '*' }),
    replace: (secret, etag, content, leaseId) =>
      write(secret, content, { ifMatch: etag, ...(leaseId !== undefined && { leaseId }) }),
    async acquireLease(secret, seconds) {
      const outcome = await container.run((client, abortSignal) =>
        lease(client, secret).acquireLease(seconds, { abortSignal }),
      );
      return outcome.kind === 'done' ? outcome.value.leaseId : undefined;
    },
    async renewLease(secret, leaseId) {
      const { kind } = await container.run((client, abortSignal) =>
        lease(client, secret, leaseId).renewLease({ abortSignal }),
      );
      return kind === 'done';
    },
    async releaseLease(secret, leaseId) {
      await container.run((client, abortSignal) => lease(client, secret, leaseId).releaseLease({ abortSignal }));
    },
    async breakLease(secret) {
      await container.run((client, abortSignal) => lease(client, secret).breakLease(0, { abortSignal }));
    },
  };
}

interface Conditions {
  readonly ifNoneMatch?: '*';
  readonly ifMatch?: string;
  readonly leaseId?: string;
}

interface StoredBytes {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly isLeased: boolean;
}

/** Undefined where the blob is larger than a record can be. */
async function downloadSmall(
  container: ContainerClient,
  name: string,
  abortSignal: AbortSignal,
): Promise<StoredBytes | undefined> {
  const blob = container.getBlobClient(name);
  const { readableStreamBody, etag, leaseStatus } = await blob.download(0, undefined, { abortSignal });
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of readableStreamBody ?? []) {
    chunks.push(Buffer.from(chunk));
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_RECORD_BYTES) return undefined; // Leaving the loop ends the stream.
  }
  return etag === undefined ? undefined : { bytes: Buffer.concat(chunks), etag, isLeased: leaseStatus === 'locked' };
}

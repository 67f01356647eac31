import type { SealedBlobs } from '../../shared/storage/sealedBlobs.ts';

/** Keeps texts in memory, on the conditions of the blob store. `reads` counts. */
export function memoryBlobs(): SealedBlobs & { readonly reads: () => number } {
  const held = new Map<string, { readonly etag: string; readonly content: Buffer }>();
  let writes = 0;
  let reads = 0;
  const put = (secret: Buffer, content: Buffer) => {
    writes += 1;
    held.set(secret.toString('hex'), { etag: String(writes), content });
    return String(writes);
  };
  return {
    reads: () => reads,
    async read(secret) {
      reads += 1;
      const blob = held.get(secret.toString('hex'));
      return blob && { ...blob, isLeased: false };
    },
    create: async (secret, content) => (held.has(secret.toString('hex')) ? undefined : put(secret, content)),
    replace: async (secret, etag, content) =>
      held.get(secret.toString('hex'))?.etag === etag ? put(secret, content) : undefined,
    acquireLease: async () => undefined,
    renewLease: async () => false,
    releaseLease: async () => {},
    breakLease: async () => {},
  };
}

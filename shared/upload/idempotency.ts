import { hash } from 'node:crypto';
import { isObject } from '../isObject.ts';
import { IDEMPOTENCY_LIFE_MS } from '../limits.ts';
import type { SealedBlobs } from './sealedBlobs.ts';
import { storageUnavailable } from './storageFault.ts';

/** The answer that a repetition gets. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a key is found to be. */
export type Claim =
  /** The request is the first one with its key: it goes on, and says how it ended. */
  | { readonly kind: 'first'; keep(answer: KeptAnswer): Promise<void>; release(): Promise<void> }
  /** The first one is still under way. */
  | { readonly kind: 'underWay' }
  | {
      readonly kind: 'answered';
      readonly answer: KeptAnswer;
      /** Claims the key anew, as if nothing had been kept: for an answer that no longer holds. */
      claimAnew(): Promise<Claim>;
    }
  /** The key came with another request before. */
  | { readonly kind: 'otherRequest' };

interface IdempotencyRecord {
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly fingerprint: string;
  /** Absent while the first request is under way. */
  readonly answer?: KeptAnswer;
}

/**
 * Claims a key for one request. Records are sealed under the key itself, so that nothing of the request can be read from the
 * store.
 *
 * @param key of one caller, whatever makes it unique
 * @param fingerprint of the request: equal for a repetition
 * @param abandonedAfterMs a first request that is under way for longer is lost: its place is taken
 * @throws ServiceError StorageUnavailable, StorageNotConfigured
 */
export async function claimKey(
  blobs: SealedBlobs,
  key: readonly string[],
  fingerprint: string,
  abandonedAfterMs: number,
): Promise<Claim> {
  const secret = Buffer.from(hash('sha256', JSON.stringify(key), 'hex'), 'hex');
  const claim: IdempotencyRecord = { startedAt: Date.now(), fingerprint };
  const created = await blobs.create(secret, toContent(claim));
  if (created !== undefined) return first(blobs, secret, created, claim);
  const stored = await blobs.read(secret);
  const record = stored && parseRecord(stored.content);
  if (stored === undefined || record === undefined)
    throw storageUnavailable(new Error('The key could not be claimed.'));
  const claimAnew = async (): Promise<Claim> => {
    const etag = await blobs.replace(secret, stored.etag, toContent(claim));
    return etag === undefined ? { kind: 'underWay' } : first(blobs, secret, etag, claim);
  };
  const age = Date.now() - record.startedAt;
  const isLost = record.answer === undefined && age > abandonedAfterMs;
  if (isLost || age > IDEMPOTENCY_LIFE_MS) return claimAnew();
  if (record.fingerprint !== fingerprint) return { kind: 'otherRequest' };
  return record.answer === undefined ? { kind: 'underWay' } : { kind: 'answered', answer: record.answer, claimAnew };
}

function first(blobs: SealedBlobs, secret: Buffer, etag: string, claim: IdempotencyRecord): Claim {
  const replace = async (record: IdempotencyRecord) => {
    await blobs.replace(secret, etag, toContent(record));
  };
  return {
    kind: 'first',
    keep: (answer) => replace({ ...claim, answer }),
    release: () => replace({ ...claim, startedAt: 0 }), // Long past: the next one with the key is the first.
  };
}

function toContent(record: IdempotencyRecord): Buffer {
  return Buffer.from(JSON.stringify(record));
}

function parseRecord(content: Buffer): IdempotencyRecord | undefined {
  const value: unknown = JSON.parse(content.toString());
  return isIdempotencyRecord(value) ? value : undefined;
}

function isIdempotencyRecord(value: unknown): value is IdempotencyRecord {
  return (
    isObject(value) &&
    typeof value['startedAt'] === 'number' &&
    typeof value['fingerprint'] === 'string' &&
    (value['answer'] === undefined || isKeptAnswer(value['answer']))
  );
}

function isKeptAnswer(value: unknown): boolean {
  return (
    isObject(value) &&
    typeof value['status'] === 'number' &&
    isObject(value['headers']) &&
    typeof value['body'] === 'string'
  );
}

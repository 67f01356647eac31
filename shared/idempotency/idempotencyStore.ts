import { hash } from 'node:crypto';
import { IDEMPOTENCY_LIFE_MS } from '../common/limits.ts';
import * as validators from '../json/validators.generated.cjs';
import type { SealedBlobs } from '../storage/sealedBlobs.ts';
import { storageUnavailable } from '../storage/storageErrors.ts';

/** The answer that a repetition gets. */
export interface StoredResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a key is found to be. */
export type KeyState =
  | IdempotencyLease
  /** Another turn is under way. */
  | { readonly kind: 'underWay' }
  | {
      readonly kind: 'answered';
      readonly answer: StoredResponse;
      /** Claims the key anew, as if nothing had been kept: for an answer that no longer holds. */
      claimAnew(): Promise<KeyState>;
    }
  /** The key came with another request before. */
  | { readonly kind: 'otherRequest' };

/** The request is the one that goes on; it says how it ended. */
export interface IdempotencyLease {
  readonly kind: 'turn';
  /** Epoch milliseconds: since then an earlier turn may have done the work and been lost. Undefined: none has. */
  readonly mayBeDoneSince: number | undefined;
  /** Epoch milliseconds: an earlier turn sent the whole file then, and Graph refused it. Undefined: none has. */
  readonly refusedSince: number | undefined;
  keep(response: StoredResponse): Promise<void>;
  /**
   * It failed, and the next one may try.
   * @param mayBeDone the work may be done all the same
   * @param refusedSince when the whole file was sent that Graph has refused; epoch milliseconds
   */
  release(mayBeDone: boolean, refusedSince?: number): Promise<void>;
}

interface IdempotencyRecord {
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly fingerprint: string;
  readonly mayBeDoneSince?: number | undefined;
  readonly refusedSince?: number | undefined;
  readonly state:
    | { readonly kind: 'underWay' | 'free' }
    | { readonly kind: 'answered'; readonly answer: StoredResponse };
}

/**
 * Claims a key for one request. Records are sealed under the key itself, so that nothing of the request can be read from the
 * store.
 *
 * @param key of one caller, whatever makes it unique
 * @param fingerprint of the request: equal for a repetition
 * @param abandonedAfterMs a turn that is under way for longer is lost: the next one looks whether it has done the work
 * @param now epoch milliseconds
 * @throws ServiceError StorageUnavailable, StorageNotConfigured
 */
export async function acquireKey(
  blobs: SealedBlobs,
  key: readonly string[],
  fingerprint: string,
  abandonedAfterMs: number,
  now: number = Date.now(),
): Promise<KeyState> {
  const secret = Buffer.from(hash('sha256', JSON.stringify(key), 'hex'), 'hex');
  const claim = { startedAt: now, fingerprint, state: { kind: 'underWay' } } as const;
  const created = await blobs.create(secret, toContent(claim));
  if (created !== undefined) return turnOf(blobs, secret, created, claim);
  const stored = await blobs.read(secret);
  const record = stored && parseRecord(stored.content);
  if (stored === undefined || record === undefined)
    throw storageUnavailable(new Error('The key could not be claimed.'));
  const take = async (left: Pick<IdempotencyRecord, 'mayBeDoneSince' | 'refusedSince'> = {}): Promise<KeyState> => {
    const next = { ...claim, ...left };
    const etag = await blobs.replace(secret, stored.etag, toContent(next));
    return etag === undefined ? { kind: 'underWay' } : turnOf(blobs, secret, etag, next);
  };
  const { state } = record;
  const ageMs = claim.startedAt - record.startedAt;
  const isFree = state.kind === 'free' || ageMs > IDEMPOTENCY_LIFE_MS;
  const isSame = record.fingerprint === fingerprint;
  if (!isFree && !isSame) return { kind: 'otherRequest' };
  if (!isFree && state.kind === 'answered') return { ...state, claimAnew: () => take() };
  const isLost = state.kind === 'underWay' && ageMs > abandonedAfterMs;
  if (!isFree && !isLost) return { kind: 'underWay' };
  const mayBeDoneSince = record.mayBeDoneSince ?? (isLost ? record.startedAt : undefined);
  return take(isSame ? { mayBeDoneSince, refusedSince: record.refusedSince } : {});
}

function turnOf(blobs: SealedBlobs, secret: Buffer, etag: string, claim: IdempotencyRecord): IdempotencyLease {
  const replace = async (changes: Partial<IdempotencyRecord>) => {
    await blobs.replace(secret, etag, toContent({ ...claim, ...changes }));
  };
  const { mayBeDoneSince, refusedSince, startedAt } = claim;
  return {
    kind: 'turn',
    mayBeDoneSince,
    refusedSince,
    keep: (response) => replace({ state: { kind: 'answered', answer: response } }),
    release: (mayBeDone, newlyRefused) =>
      replace({
        state: { kind: 'free' },
        mayBeDoneSince: mayBeDoneSince ?? (mayBeDone ? startedAt : undefined),
        refusedSince: refusedSince ?? newlyRefused,
      }),
  };
}

function toContent(record: IdempotencyRecord): Buffer {
  return Buffer.from(JSON.stringify(record));
}

function parseRecord(content: Buffer): IdempotencyRecord | undefined {
  const value: unknown = JSON.parse(content.toString());
  return isIdempotencyRecord(value) ? value : undefined;
}

/** json/schemas/idempotencyRecord.schema.json says the same as the type. */
function isIdempotencyRecord(value: unknown): value is IdempotencyRecord {
  return validators.idempotencyRecord(value);
}

import { formatSecret, parseSecret, seal, secretOf, unseal } from '../storage/seal.ts';

/**
 * A message of a job: the upload's id, sealed under a key that is not in the storage account. Whoever reads the queue learns
 * nothing of use, and whoever writes to it can repeat a message, which only wakes the job up.
 */
export function sealJobId(id: string, key: string): string {
  return seal(secretOf(id), Buffer.from(key), 'job').toString('base64url');
}

/** Undefined for a message that was not sealed with this key. @param message as the trigger gives it: text, or what it took for JSON */
export function unsealJobId(message: unknown, key: string): string | undefined {
  if (typeof message !== 'string') return undefined;
  const secret = unseal(Buffer.from(message, 'base64url'), Buffer.from(key), 'job');
  const id = secret && formatSecret(secret);
  return id !== undefined && parseSecret(id) !== undefined ? id : undefined;
}

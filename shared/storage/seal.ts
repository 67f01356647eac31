import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto';

/** What a sealed text is for. The same secret gives another key for each, so that none passes for another. */
export type Purpose = 'upload' | 'idempotency' | 'job' | 'jobRecord';

const SECRET_BYTES = 32;
const VERSION = Buffer.from([1]);
const NONCE_BYTES = 12; // NIST SP 800-38D, section 8.2.2: random nonces of 96 bits
const TAG_BYTES = 16;
const HEAD_BYTES = VERSION.length + NONCE_BYTES;

/** 32 random bytes. As text they are an upload's id; whoever knows them can find and read its record, and no one else. */
export function createSecret(): Buffer {
  return randomBytes(SECRET_BYTES);
}

export function formatSecret(secret: Buffer): string {
  return secret.toString('base64url');
}

/** Undefined unless the text is exactly what formatSecret makes of 32 bytes. */
export function parseSecret(text: string): Buffer | undefined {
  if (!/^[\w-]{43}$/.test(text)) return undefined;
  const secret = Buffer.from(text, 'base64url');
  // Of the last character four bits count: three others would stand for the same bytes.
  return formatSecret(secret) === text ? secret : undefined;
}

/** @throws TypeError for a text that formatSecret has not made */
export function secretOf(id: string): Buffer {
  const secret = parseSecret(id);
  if (secret === undefined) throw new TypeError('This is no id that the store has made.');
  return secret;
}

/** The name under which a secret's record is stored. It gives nothing of the secret away. */
export function nameOf(secret: Buffer): string {
  return hash('sha256', secret, 'hex');
}

/** AES-256-GCM under a key of its own: version, nonce, encrypted content, tag. */
export function seal(content: Buffer, secret: Buffer, purpose: Purpose): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret, purpose), nonce).setAAD(VERSION);
  return Buffer.concat([VERSION, nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
}

/** The content, or undefined where the text was changed, cut, or sealed with another secret or for another purpose. */
export function unseal(sealed: Buffer, secret: Buffer, purpose: Purpose): Buffer | undefined {
  if (sealed.length < HEAD_BYTES + TAG_BYTES || !sealed.subarray(0, VERSION.length).equals(VERSION)) return undefined;
  const nonce = sealed.subarray(VERSION.length, HEAD_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', keyOf(secret, purpose), nonce, { authTagLength: TAG_BYTES })
    .setAAD(VERSION)
    .setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(HEAD_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    return undefined; // The tag does not fit.
  }
}

/** HKDF, RFC 5869. The secret is random already, so no salt is needed (section 3.1). */
function keyOf(secret: Buffer, purpose: Purpose): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `graph-upload-session-proxy ${purpose} v1`, 32));
}

import { randomBytes } from 'node:crypto';

/** An id as Exchange writes it: the URL-safe alphabet of base64, padding included. */
export function newExchangeId(): string {
  return `AAMkAG${randomBytes(24).toString('base64url')}=`;
}

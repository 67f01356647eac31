import { createHash, type Hash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Caller } from '../common/tokenRegistry.ts';
import type { DeclaredAttachment } from './attachmentBody.ts';
import { type ItemRef, MAX_KEPT_BYTES, newExchangeId } from './mailboxStore.ts';

export interface UploadSession {
  readonly id: string;
  readonly item: ItemRef;
  readonly attachment: DeclaredAttachment;
  /** The secret in an Outlook uploadUrl. A To Do session has none and requires the bearer token. */
  readonly authtoken: string | undefined;
  /** A To Do session accepts tokens of this caller only. */
  readonly openedBy: Caller;
  /** Decoded path of the uploadUrl. */
  readonly path: string;
  /** A PUT does not extend it. The error `expired` ends it. */
  expiresAtMs: number;
  /** Number of PUTs so far, rejected ones included. */
  puts: number;
  /** Bytes received. */
  received: number;
  hash: Hash;
  /** The bytes received, if the file is small enough to be kept. */
  readonly parts: Buffer[] | undefined;
  /** The store behind the session does not know the item, as a copy that lags behind. */
  isLost: boolean;
}

type NewSession = Pick<UploadSession, 'item' | 'attachment' | 'expiresAtMs' | 'openedBy'> & {
  /** Whether the uploadUrl carries a secret. */
  readonly isPreauthenticated: boolean;
  /** The uploadUrl's path for a session id. */
  readonly pathOf: (id: string) => string;
};

export type SessionStore = ReturnType<typeof createSessionStore>;

/** A long run must not fill the memory. */
const MAX_SESSIONS = 20_000;

export function createSessionStore() {
  const sessions = new LRUCache<string, UploadSession>({ max: MAX_SESSIONS });
  return {
    open({ isPreauthenticated, pathOf, ...about }: NewSession): UploadSession {
      const id = newExchangeId();
      const session: UploadSession = {
        ...about,
        id,
        authtoken: isPreauthenticated ? randomBytes(48).toString('base64url') : undefined,
        path: pathOf(id),
        puts: 0,
        received: 0,
        hash: createHash('sha256'),
        parts: about.attachment.size <= MAX_KEPT_BYTES ? [] : undefined,
        isLost: false,
      };
      sessions.set(id, session);
      return session;
    },
    find: (id: string) => sessions.get(id),
    remove: (id: string) => void sessions.delete(id),
    reset: () => sessions.clear(),
  };
}
